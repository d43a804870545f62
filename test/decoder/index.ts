import { fuzz } from './fuzz.ts'

/** `node --max-old-space-size=48 test/decoder/index.ts [inputs] [seed]`: prints what became of the inputs, one line of JSON. */
const [inputs = '1000000', seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2)
console.log(JSON.stringify({ seed: Number(seed), ...await fuzz(Number(inputs), Number(seed)) }))
