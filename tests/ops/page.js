// page.js HEAD BODY: the status page without a browser: no address of anybody
// else in it, a policy whose hashes are those of its script and style, and a
// script that at least parses.
"use strict";

const { readFileSync } = require("fs");
const { createHash } = require("crypto");
const vm = require("vm");
const head = readFileSync(process.argv[2], "utf8");
const page = readFileSync(process.argv[3], "utf8");
const policy = (/^content-security-policy: (.*)$/im.exec(head) || [, ""])[1];

function demand(what, is)
{
	if (!is) {
		console.log("not so: " + what);
		process.exitCode = 1;
	}
}

// The name of a vocabulary is no address that is asked.
const text = page.replaceAll("http://www.w3.org/2000/svg", "");
demand("no URL of another host", !/(https?:)?\/\/[a-z0-9]/i.test(text));
demand("no attribute that loads", !/\s(src|href|action|style|on[a-z]+)=/i.test(text));
demand("nothing but what is named", policy.startsWith("default-src 'none'; "));
demand("nothing inline but by hash", !policy.includes("unsafe"));
for (const what of ["script", "style"]) {
	const all = [...page.matchAll(new RegExp(`<${what}>([^]*?)</${what}>`, "g"))];
	demand(`one ${what}`, all.length === 1);
	const hash = createHash("sha256").update(all[0][1]).digest("base64");
	demand(`hash of the ${what}`,
	    policy.includes(`${what}-src 'sha256-${hash}'`));
	if (what === "script")
		new vm.Script(all[0][1]);
}
