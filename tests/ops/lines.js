// lines.js: exits with 0 if standard input is one JSON value, or one a
// line.
'use strict';
const text = require('fs').readFileSync(0, 'utf8');

function parses(s)
{
	try {
		JSON.parse(s);
	} catch {
		return false;
	}
	return true;
}

const lines = text.split('\n').filter((line) => line !== '');
process.exit(lines.length > 0 &&
    (parses(text) || lines.every(parses)) ? 0 : 1);
