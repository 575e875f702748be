// Codex's sandbox, without a network, forbids a process to ask what kind of socket it has. A Node.js that another one
// has started has sockets for its output, takes them for nothing it knows, and drops whatever is written there: the
// reports of test workers, for example. Loaded before everything else, this writes to them all the same.
'use strict';

const fs = require('node:fs');
const { Writable } = require('node:stream');
const { isMainThread } = require('node:worker_threads');

const PAUSE_MS = 1;
const nobody = new Int32Array(new SharedArrayBuffer(4));

function writeAll(fd, chunk) {
  let written = 0;
  while (written < chunk.length) {
    try {
      written += fs.writeSync(fd, chunk, written);
    } catch (error) {
      // Whoever would read it is gone.
      if (error.code !== 'EAGAIN') return;
      Atomics.wait(nobody, 0, 0, PAUSE_MS);
    }
  }
}

// Not with fstat: once that was called this early, Node.js 22 resolves links of the main program wrongly.
function isSocket(fd) {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
  } catch {
    return false;
  }
}

for (const [name, fd] of [['stdout', 1], ['stderr', 2]]) {
  if (!isMainThread || !isSocket(fd)) continue;
  const stream = new Writable({
    write(chunk, _encoding, done) {
      writeAll(fd, chunk);
      done();
    },
  });
  stream.fd = fd;
  Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => stream });
}
