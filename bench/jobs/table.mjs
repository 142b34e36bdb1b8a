// Lines of measurements → tables: of each name the median of its runs.
import { readFileSync } from 'node:fs'

const lines = readFileSync(0, 'utf8').trim().split('\n').map(line => JSON.parse(line))
const median = numbers => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
const groups = kind => [...Map.groupBy(lines.filter(line => kind in line), line => line.name)]

const rates = groups('perSecond').map(([name, runs]) => ({ name, jobs: runs[0].jobs, runs: runs.length,
  perSecond: median(runs.map(run => run.perSecond)), cpu: median(runs.map(run => run.cpuMicros)) }))
const base = rates.find(rate => rate.name === 'graphile-worker: batched')
const ratio = (a, b) => base ? `${(a / b).toFixed(2)}×` : ''
console.log('\n| no-op jobs | jobs | runs | jobs/s | to graphile batched | CPU µs a job | CPU to graphile batched |\n|---|---|---|---|---|---|---|')
for (const rate of rates)
  console.log(`| ${rate.name} | ${rate.jobs} | ${rate.runs} | ${rate.perSecond} | ${ratio(rate.perSecond, base?.perSecond)} | ${rate.cpu} | ${ratio(rate.cpu, base?.cpu)} |`)

console.log('\n| milliseconds | samples | p50 | p95 | p99 |\n|---|---|---|---|---|')
for (const [name, runs] of groups('p50')) {
  const one = runs[0]
  console.log(`| ${name} | ${one.samples} | ${one.p50.toFixed(2)} | ${one.p95.toFixed(2)} | ${one.p99.toFixed(2)} |`)
}
