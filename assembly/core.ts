// The thread pool: one job at a time, cut into chunks that the threads take by counter.
//
// A ticket is 64 bits: the job's number above, the chunks not yet taken below. Taking one is a compare-and-swap of
// the whole ticket, so a thread that wakes late can never take a chunk of a job it has not seen. The job's fields are
// written before its ticket and stay until every chunk is done, and absent threads cost nothing: they take no chunks.

// Where the words live, in bytes from the start of the shared memory. src/engine/control.ts has the same list.
const WAKE: usize = 64; // i32, changes with every job
const TICKET: usize = 128; // i64
const DONE: usize = 192; // i32, chunks finished
const TRAPPED: usize = 196; // i32, 1 once a worker's kernel trapped
const WAITING: usize = 200; // i32, 1 while the caller sleeps until chunks are finished
const SLOT: usize = 256; // i32, the kernel's place in the table
const ARGS: usize = 260; // usize, its arguments
const COUNT: usize = 264; // i32, units of work
const CHUNK: usize = 268; // i32, units per chunk
const MODULES: usize = 320; // i32, kernel modules announced so far
const MAY_SLEEP: usize = 328; // i32, 1 where the calling thread may sleep: a page's own must not

const SPIN: i32 = 2000; // turns a worker waits awake; a woken one takes 25 µs to come
const CALLER_SPIN: i32 = 20_000; // turns the caller waits awake; more, and the worker may be off its core for want of ours
const NAP: i64 = 10_000_000; // nanoseconds the caller sleeps at a time
const NAPS: i32 = 100; // before it asks JavaScript whether the worker still lives
const PATIENCE: i32 = 100_000_000; // turns before it asks, where it may not sleep

@inline function runChunk(index: i32): void {
  const chunk = i32.load(CHUNK);
  const from = index * chunk;
  const to = min(from + chunk, i32.load(COUNT));
  call_indirect<void>(i32.load(SLOT), load<usize>(ARGS), from, to);
  atomic.add<i32>(DONE, 1);
  if (atomic.load<i32>(WAITING)) atomic.notify(DONE, -1);
}

/** Takes chunks until none is left; false if a module must be loaded first (asked before taking, never after). */
function work(modules: i32): bool {
  while (true) {
    const ticket = atomic.load<i64>(TICKET);
    const left = i32(ticket);
    if (left == 0) return true;
    if (atomic.load<i32>(MODULES) != modules) return false;
    if (atomic.cmpxchg<i64>(TICKET, ticket, ticket - 1) == ticket) runChunk(left - 1);
  }
}

/** 0 when all chunks are done, 1 if a worker trapped, 2 if this took suspiciously long: call `wait` again. */
export function wait(chunks: i32): i32 {
  const sleeps = i32.load(MAY_SLEEP) != 0;
  for (let turn = 0, end = sleeps ? CALLER_SPIN : PATIENCE; turn < end; turn++) {
    if (atomic.load<i32>(DONE) == chunks) return 0;
    if (atomic.load<i32>(TRAPPED)) return 1;
  }
  return sleeps ? sleep(chunks) : 2;
}

/** The same asleep. The flag goes up before DONE is read, and a worker adds to DONE before it reads the flag. */
function sleep(chunks: i32): i32 {
  let status = 2;
  atomic.store<i32>(WAITING, 1);
  for (let nap = 0; nap < NAPS && status == 2; ) {
    const done = atomic.load<i32>(DONE);
    if (done == chunks) status = 0;
    else if (atomic.load<i32>(TRAPPED)) status = 1;
    else if (atomic.wait<i32>(DONE, done, NAP) == AtomicWaitResult.TIMED_OUT) nap++;
  }
  atomic.store<i32>(WAITING, 0);
  return status;
}

/** Runs kernel `slot` over [0, count) in chunks on every thread that comes; returns what `wait` returns. */
export function dispatch(slot: i32, args: usize, count: i32, chunk: i32): i32 {
  const chunks = (count + chunk - 1) / chunk;
  i32.store(SLOT, slot);
  store<usize>(ARGS, args);
  i32.store(COUNT, count);
  i32.store(CHUNK, chunk);
  atomic.store<i32>(DONE, 0);
  const job = (atomic.load<i64>(TICKET) >> 32) + 1;
  atomic.store<i64>(TICKET, (job << 32) | i64(chunks));
  atomic.add<i32>(WAKE, 1);
  atomic.notify(WAKE, -1);
  work(atomic.load<i32>(MODULES));
  return wait(chunks);
}

/** A worker's life. Returns when more than `modules` modules are announced, for JavaScript to load them. */
export function serve(modules: i32): void {
  while (true) {
    const seen = atomic.load<i32>(WAKE);
    if (atomic.load<i32>(MODULES) != modules || !work(modules)) return;
    for (let turn = 0; turn < SPIN && atomic.load<i32>(WAKE) == seen; turn++) {}
    while (atomic.load<i32>(WAKE) == seen) atomic.wait<i32>(WAKE, seen, -1);
  }
}
