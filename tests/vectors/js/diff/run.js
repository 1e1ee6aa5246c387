#!/usr/bin/env node
// The differential test: random cases, each made and judged by both implementations.
import { Peer } from './peer.js';
import { Random } from './random.js';
import { CASES } from './cases.js';

const AT_ONCE = 4;
const MOST_FAILURES = 10;

const USAGE = `usage: node diff/run.js --peer PROGRAM [--seed N] [--cases N] [--kind NAME] [--only CASE]

Drives the C++ peer (target nimes_vectors_peer) with random cases and boundary sizes. Every case draws from the seed and
its own number, so --seed S --only N repeats one.

  --peer PROGRAM  the peer (default: $NIMES_BUILD/tests/vectors/nimes_vectors_peer)
  --seed N        default: from the clock; printed
  --cases N       default 4000
  --kind NAME     one kind of case alone
  --only CASE     one case alone`;

function options(words) {
  const out = { peer: `${process.env.NIMES_BUILD}/tests/vectors/nimes_vectors_peer`, seed: String(Date.now()), cases: 4000 };
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i].replace(/^--/, '');
    if (name === 'help' || !['peer', 'seed', 'cases', 'kind', 'only'].includes(name) || words[i + 1] === undefined) {
      console.log(USAGE);
      process.exit(name === 'help' ? 0 : 2);
    }
    out[name] = words[i + 1];
  }
  return out;
}

// Kinds in turn, each as often as its weight says: case i is the same whatever came before it.
function schedule(kind) {
  const names = Object.keys(CASES).filter((name) => !kind || name === kind);
  const total = names.reduce((sum, name) => sum + CASES[name].weight, 0);
  const round = names.flatMap((name) => Array.from({ length: CASES[name].weight },
    (_, nth) => ({ name, nth, place: (nth + 0.5) / CASES[name].weight })));
  round.sort((a, b) => a.place - b.place);
  return (i) => {
    const { name, nth } = round[i % total];
    return { name, nth: Math.floor(i / total) * CASES[name].weight + nth };
  };
}

async function main() {
  const { peer: program, seed, cases, kind, only } = options(process.argv.slice(2));
  const peer = new Peer(program);
  const at = schedule(kind);
  const counts = {};
  const started = Date.now();
  console.log(`seed ${seed}`);
  const [first, end] = only === undefined ? [0, Number(cases)] : [Number(only), Number(only) + 1];
  let failed = 0;
  let next = first;
  const worker = async () => {
    while (next < end && failed < MOST_FAILURES) {
      const i = next++;
      const { name, nth } = at(i);
      try {
        await CASES[name].run({ random: new Random(`${seed}/${i}`), peer, nth });
        counts[name] = (counts[name] ?? 0) + 1;
      } catch (error) {
        ++failed;
        const again = `--seed ${seed} --only ${i}${kind ? ` --kind ${kind}` : ''}`;
        console.log(`FAILED case ${i} (${name}): ${error.stack}\n  repeat: ${again}`);
      }
    }
  };
  // while the peer works on one case, we work on another
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const status = await peer.close();
  if (status !== 0) console.log(`FAILED the peer ended with ${status}`);
  console.log(Object.entries(counts).map(([name, n]) => `${name} ${n}`).join(', '));
  console.log(`${peer.asked} requests, ${((Date.now() - started) / 1000).toFixed(1)} s; ${failed} cases failed`);
  process.exitCode = failed > 0 || status !== 0 || Object.keys(counts).length === 0 ? 1 : 0;
}

await main();
