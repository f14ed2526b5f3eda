// The thread that run.mjs transpiles in: component bytes in, {files} or {refused} out.
import { parentPort } from 'node:worker_threads';
import { transpile } from '@bytecodealliance/jco';

parentPort.on('message', async (code) => {
  try {
    const { files } = await transpile(code, { name: 'world', instantiation: 'async', typescript: false, base64Cutoff: 0 });
    parentPort.postMessage({ files });
  } catch (e) {
    parentPort.postMessage({ refused: String(e.stack ?? e) });
  }
});
