// wss.js PORT CERTIFICATE READ WRITE: from 127.0.0.2, one client of the store
// demo hears over TLS what another says; one without a token is refused; and a
// plain request is answered.
"use strict";

const { readFileSync } = require("fs");
const https = require("https");
const WebSocket = require("ws");
const [port, certificate, read, write] = process.argv.slice(2);
const tls = {
	ca: readFileSync(certificate),
	servername: "localhost",
	localAddress: "127.0.0.2",
	headers: { Host: `localhost:${port}` },
};
const PATCH = 1;

setTimeout(() => { throw new Error("no answer"); }, 15000).unref();

function open(token)
{
	return new WebSocket(`wss://127.0.0.1:${port}/ws/demo?token=${token}`, tls);
}

function event(target, name)
{
	return new Promise((done, failed) => {
		target.once(name, (...args) => done(args));
		target.once("error", failed);
	});
}

function is(what, found, wanted)
{
	if (found !== wanted)
		throw new Error(`${what}: ${found}, not ${wanted}`);
}

async function main()
{
	const reader = open(read);
	await event(reader, "open");
	const heard = event(reader, "message");
	const writer = open(write);
	await event(writer, "open");
	const said = Buffer.concat([Buffer.from([PATCH]), Buffer.alloc(100000, 7)]);
	writer.send(said);
	const [message, binary] = await heard;
	is("binary", binary, true);
	is("what is heard", Buffer.compare(message, said), 0);
	reader.close();
	writer.close();

	const stranger = open("nothing");
	const [code] = await event(stranger, "close");
	is("without a token", code, 4001);

	const request = https.get(`https://127.0.0.1:${port}/health`,
	    { ...tls, agent: false });
	const [answer] = await event(request, "response");
	is("/health", answer.statusCode, 200);
	answer.resume();
	await event(answer, "end");
}

main().then(() => process.exit(0), (e) => {
	console.error(e.message);
	process.exit(1);
});
