'use strict'
// The engine as a process (tests/ops/logseq_drive.c): one answer a command.

const { spawn } = require('node:child_process')
const readline = require('node:readline')

const program = `${process.env.QUIRE_B}/tests/ops/logseq_drive`

exports.Engine = class {
  constructor () {
    this.child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.lines = readline.createInterface({ input: this.child.stdout })[
      Symbol.asyncIterator]()
  }

  async line () {
    const { value, done } = await this.lines.next()
    if (done) throw new Error('the engine ended')
    return value
  }

  say (line) {
    this.child.stdin.write(`${line}\n`)
  }

  ask (line) {
    this.say(line)
    return this.line()
  }

  // { result, t, sum }; result 0 is done
  async tx (op, text) {
    const [result, t, sum] = (await this.ask(`tx\t${op}\t${text}`)).split(' ')
    return { result: Number(result), t: Number(t), sum }
  }

  // [e, attribute, value as JSON]
  async dump () {
    const rows = []
    this.say('dump')
    for (let line; (line = await this.line()) !== '.';) {
      const a = line.indexOf(' ')
      const v = line.indexOf(' ', a + 1)
      rows.push([Number(line.slice(0, a)), line.slice(a + 1, v),
        JSON.parse(line.slice(v + 1))])
    }
    return rows
  }

  end () {
    this.child.stdin.end()
  }
}
