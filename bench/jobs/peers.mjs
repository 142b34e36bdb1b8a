// The same work in other job queues: no-op jobs, preloaded, from the start of the worker until none is left; and, with
// an idle worker, from the call that enqueues to the start of the handler. One JSON line a measurement.
//   node peers.mjs URL JOBS SAMPLES
import { readFileSync, readdirSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import pg from 'pg'
import { run, runOnce, makeWorkerUtils } from 'graphile-worker'
import { PgBoss } from 'pg-boss'

const [url, jobsText, samplesText] = process.argv.slice(2)
const jobs = Number(jobsText), samples = Number(samplesText)
const say = line => console.log(JSON.stringify(line))

// Microseconds of processors: ours and, of SERVER_PID, the server's (as cpu.cpp does).
function cpuMicros() {
  const own = process.cpuUsage()
  const ticks = pid => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /s, '').split(' ').map(Number)
      return { parent: fields[1], own: fields[11] + fields[12], ended: fields[13] + fields[14] }
    } catch { return { parent: 0, own: 0, ended: 0 } }
  }
  const server = Number(process.env.SERVER_PID ?? 0)
  let sum = 0
  if (server) {
    const parent = ticks(server)
    sum = parent.own + parent.ended
    for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
      const child = ticks(pid)
      if (child.parent === server) sum += child.own
    }
  }
  return own.user + own.system + sum * 10_000
}
function sayRate(name, count, milliseconds, cpu) {
  say({ name, jobs: count, perSecond: Math.round(count / (milliseconds / 1000)), cpuMicros: Math.round(cpu / count * 10) / 10 })
}

function percentiles(times) {
  const sorted = [...times].sort((a, b) => a - b)
  const at = part => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

// As in its own performance test; "batched" is the fastest mode that its documentation tells.
async function graphile(name, settings, count) {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  const utils = await makeWorkerUtils({ pgPool: pool })
  await utils.migrate()
  await pool.query('delete from graphile_worker._private_jobs')
  await pool.query(`select graphile_worker.add_jobs(array(select ('noop', '{}', null, null, null, null, null, null)::graphile_worker.job_spec
    from generate_series(1, $1)))`, [count])
  await pool.query('vacuum analyze graphile_worker._private_jobs')
  let done = 0
  const cpu = cpuMicros()
  const begun = performance.now()
  await runOnce({ pgPool: pool, taskList: { noop: () => { ++done } }, noHandleSignals: true,
    preset: { worker: { maxPoolSize: 10, ...settings } }, logger: undefined })
  const took = performance.now() - begun
  if (done !== count) throw new Error(`${name}: ${done} of ${count} ran`)
  sayRate(name, count, took, cpuMicros() - cpu)
  await utils.release()
  await pool.end()
}

async function graphileLatency() {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  let begun = 0, started = () => {}
  const runner = await run({ pgPool: pool, noHandleSignals: true, taskList: { noop: () => { started(performance.now() - begun) } },
    preset: { worker: { concurrentJobs: 4, pollInterval: 2000 } } })
  const times = []
  for (let i = 0; i < samples + 50; ++i) {
    const ran = new Promise(resolve => { started = resolve })
    begun = performance.now()
    await runner.addJob('noop', {})
    const took = await ran
    if (i >= 50) times.push(took)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  await runner.stop()
  await pool.end()
  say({ name: 'graphile-worker: enqueue to start', samples, ...percentiles(times) })
}

async function boss(batch, loops) {
  const boss = new PgBoss({ connectionString: url, max: 10, supervise: false, schedule: false })
  boss.on('error', error => { throw error })
  await boss.start()
  const queue = 'noop'
  await boss.createQueue(queue)
  for (let i = 0; i < jobs; i += 5000) {
    await boss.insert(queue, Array.from({ length: Math.min(5000, jobs - i) }, () => ({ data: {} })))
  }
  let done = 0
  const loop = async () => {
    for (;;) {
      const got = await boss.fetch(queue, { batchSize: batch })
      if (got.length === 0) return
      await boss.complete(queue, got.map(job => job.id))
      done += got.length
    }
  }
  const cpu = cpuMicros()
  const begun = performance.now()
  await Promise.all(Array.from({ length: loops }, loop))
  const took = performance.now() - begun
  if (done !== jobs) throw new Error(`pg-boss: ${done} of ${jobs} ran`)
  sayRate(`pg-boss: batches of ${batch}`, jobs, took, cpuMicros() - cpu)
  await boss.stop({ graceful: false })
}

const batched = { concurrentJobs: 24, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
for (let run = 0; run < 3; ++run) await graphile('graphile-worker: batched', batched, jobs)
await graphile('graphile-worker: a job at a time', { concurrentJobs: 24 }, Math.min(jobs, 10_000))
await graphileLatency()
await boss(1000, 2)
process.exit(0)
