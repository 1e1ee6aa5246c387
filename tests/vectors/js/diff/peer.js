// The C++ peer as a process: one JSON request a line, answers in the same order.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const plainIntegers = (_, value) => (typeof value === 'bigint' ? String(value) : value);

export class Peer {
  constructor(program) {
    this.waiting = [];
    this.asked = 0;
    this.process = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.ended = new Promise((resolve) => {
      this.process.on('error', (error) => resolve(error.message));
      this.process.on('exit', (code, signal) => resolve(signal ?? code));
    });
    this.process.stdin.on('error', () => {}); // the exit tells
    createInterface({ input: this.process.stdout }).on('line', (line) => this.answered(JSON.parse(line)));
    this.ended.then((how) => this.waiting.splice(0).forEach(({ reject }) => reject(new Error(`the peer ended: ${how}`))));
  }

  answered(answer) {
    const { op, resolve, reject } = this.waiting.shift();
    if (answer.error !== undefined) reject(new Error(`${op}: ${answer.error}`));
    else resolve(answer);
  }

  ask(op, request) {
    ++this.asked;
    return new Promise((resolve, reject) => {
      this.waiting.push({ op, resolve, reject });
      this.process.stdin.write(`${JSON.stringify({ op, ...request }, plainIntegers)}\n`);
    });
  }

  // Its exit status: not 0 when a sanitizer found something.
  close() {
    this.process.stdin.end();
    return this.ended;
  }
}
