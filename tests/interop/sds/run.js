'use strict'
// All of it, one after the other, as TAP.

require('./tokens.test.js')
require('./http.test.js')
require('./recorded.test.js')
require('./behaviour.test.js')
