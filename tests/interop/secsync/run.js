'use strict'
// All of it, one after the other, as TAP.

require('libsodium-wrappers').ready.then(() => {
  require('./behaviour.test.js')
  require('./recorded.test.js')
  require('./yjs.test.js')
  require('./stress.test.js')
})
