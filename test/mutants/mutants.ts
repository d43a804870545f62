/** A guard of the product taken out, once, as a replacement of text, and the test that must notice. */
export interface Mutant {
  readonly guard: string
  /** What it keeps true. */
  readonly keeps: string
  readonly file: string
  /** Found exactly once in the file. */
  readonly from: string
  readonly to: string
  readonly test: { readonly project: 'unit' | 'stack'; readonly file: string; readonly name?: string }
  /** What the failing test says. */
  readonly says: RegExp
}

const SIMULATION = { project: 'unit', file: 'test/simulation/simulation.test.ts' } as const
const STORE = { project: 'stack', file: 'test/simulation/store-contract.stack.test.ts' } as const
const PUBLISHING = { project: 'stack', file: 'test/simulation/publishing.stack.test.ts' } as const

export const MUTANTS: readonly Mutant[] = [
  {
    guard: 'compare-and-set on positions', keeps: 'V3: a batch read twice is applied once',
    file: 'services/replicator/store/positions.ts', from: ' AND o.next_offset = m.old AND', to: ' AND',
    test: STORE, says: /every_event_in_one_class|outdated: /,
  },
  {
    guard: 'epoch fence', keeps: 'V3: a process that stood still writes nothing',
    file: 'services/replicator/store/lease.ts', from: 'WHERE id = 1 AND epoch = $1\n        RETURNING', to: 'WHERE id = 1 AND epoch >= $1\n        RETURNING',
    test: STORE, says: /apply: refused|transaction is aborted/,
  },
  {
    guard: 'no checkpoint before a replica is complete', keeps: 'V5: compaction alone makes no difference',
    file: 'services/replicator/store/checkpoints.ts', from: 'WHERE o.next_offset >= o.complete_from', to: 'WHERE true',
    test: STORE, says: /checkpoint sh\.complaint/,
  },
  {
    guard: 'superseded rows go into history before they are replaced', keeps: 'V1: no version disappears',
    file: 'services/replicator/store/history.ts', from: "export function keepSuperseded(c: DbTx, stream: RecordStream, rows: readonly Superseded[]): void {\n  if (rows.length === 0) return", to: "export function keepSuperseded(c: DbTx, stream: RecordStream, rows: readonly Superseded[]): void {\n  if (rows.length >= 0) return",
    test: STORE, says: /history sh\.complaint/,
  },
  {
    guard: 'outbox head lock', keeps: 'V1, V4: sequence order is commit order',
    file: 'services/runtime/db/outbox.ts', from: 'ORDER BY h.topic, h.partition FOR UPDATE OF h`', to: 'ORDER BY h.topic, h.partition`',
    test: PUBLISHING, says: /duplicate key|published_pkey|outbox_pkey/,
  },
  {
    guard: 'the lock comes before the reading', keeps: 'V2, V4: a version is given once',
    file: 'services/gateway/publish/publisher.ts', from: 'const [heads, histories] = await Promise.all([lockHeads(client, partitionsOf(events)), readHistories(client, events, isEnded)])',
    to: 'const histories = await readHistories(client, events, isEnded)\n  const heads = await lockHeads(client, partitionsOf(events))',
    test: PUBLISHING, says: /duplicate key|published_pkey|to deeply equal/,
  },
  {
    guard: 'publishing: a version is newer than the last', keeps: 'V2: a version is given once',
    file: 'services/gateway/publish/publish-decision.ts', from: 'if (origin.version > known) {\n    const version = Math.max(origin.version, current.version + 1)',
    to: 'if (origin.version >= known) {\n    const version = origin.version',
    test: SIMULATION, says: /was given to two events|V4/,
  },
  {
    guard: 'a repeated attempt knows its own rows', keeps: 'V1: the publisher is told what happened',
    file: 'services/gateway/publish/publish-batch.ts', from: "verdict: eventId === event.eventId ? (event.attempted ?? 'accepted') : 'duplicate'", to: "verdict: 'duplicate'",
    test: { project: 'unit', file: 'services/gateway/publish/publish-batch.test.ts' }, says: /duplicate/,
  },
  {
    guard: 'relay: what was read ahead goes only behind what was acknowledged', keeps: 'V1, V4: nothing is passed over after a lost answer',
    file: 'services/relay/shares.ts', from: 'return behind === partition.acked', to: 'return behind >= partition.acked',
    test: SIMULATION, says: /somebody has set it back|V1|V6/,
  },
  {
    guard: 'relay: a hole in the outbox stops the partition', keeps: 'V1: a loss is seen before anything goes past it',
    file: 'services/relay/shares.ts', from: 'rows[count]!.sequence === after + 1n + BigInt(count)) count++', to: 'rows[count]!.sequence > after) count++',
    test: SIMULATION, says: /vanished from the outbox/,
  },
  {
    guard: 'relay: a position never moves backwards', keeps: 'V1: what is trimmed is never wanted again',
    file: 'services/relay/store.ts', from: '    if (run.last <= last) return []\n    reached.set(key, run.last)\n    const known = last + 1n - run.first', to: '    reached.set(key, run.last)\n    const known = 0n',
    test: SIMULATION, says: /somebody has set it back|V6|come to rest|V1/,
  },
  {
    guard: 'relay: another generation stops the partition', keeps: 'V1: acknowledged events are not taken to be on a new log',
    file: 'services/relay/genesis.ts', from: 'generation === null || generation === beginning.generation || acked < 0n', to: 'generation !== undefined',
    test: { project: 'unit', file: 'services/relay/relay.test.ts' }, says: /generation-changed/,
  },
  {
    guard: 'relay: offsets that went back stop the partition', keeps: 'V1: a topic made anew is noticed at once',
    file: 'services/relay/sender.ts', from: 'if (firstOffset <= partition.lastOffset) {', to: 'if (firstOffset < -1n) {',
    test: { project: 'unit', file: 'services/relay/sender.test.ts' }, says: /log-went-back/,
  },
  {
    guard: 'replicator: another generation stops the partition', keeps: 'V3, V6: offsets of two logs are never mixed',
    file: 'services/replicator/partitions.ts', from: 'if (stored.generation !== state.generation) {', to: 'if (stored.generation === undefined) {',
    test: { project: 'stack', file: 'test/replicator/faults.stack.test.ts', name: 'a topic made anew stops its partitions' }, says: /not seen: they are paused/,
  },
  {
    guard: 'replicator: a position outside the log stops the partition', keeps: 'V6: no offset is passed over in silence',
    file: 'services/replicator/partitions.ts', from: 'if (stored.next < state.low || stored.next > state.high) {', to: 'if (stored.next < 0) {',
    test: { project: 'stack', file: 'test/replicator/faults.stack.test.ts', name: 'a position beyond the log stops its partition' }, says: /offset-outside-log|not seen|toMatch/,
  },
  {
    guard: 'replicator: a jump of sequences stops the partition', keeps: 'V1: an event that never reached the log is noticed',
    file: 'services/replicator/slot.ts', from: 'return offset === slot.cursor && offset >= slot.completeFrom && sequence > slot.lastSequence + 1 && !(starts && slot.lastSequence < 0)', to: 'return offset < 0 && sequence < 0 && slot.cursor < 0',
    test: SIMULATION, says: /went past sequence/,
  },
  {
    guard: 'replicator: behind what compaction took, a jump is no loss', keeps: 'V8: a fresh replica gets through a compacted log',
    file: 'services/replicator/slot.ts', from: 'if (offset > slot.cursor) slot.completeFrom = Math.max(slot.completeFrom, logEnd)', to: '',
    test: SIMULATION, says: /V5|V6/,
  },
  {
    guard: 'freshness: the fetch that brings a heartbeat says nothing', keeps: 'staleness is never understated',
    file: 'schemas/freshness.ts', from: 'this.#pending[0].end <= offset)', to: 'this.#pending[0].end <= offset + 1)',
    test: SIMULATION, says: /freshness: /,
  },
  {
    guard: 'record rule: an older version is stale', keeps: 'V4: versions rise',
    file: 'schemas/record-rule.ts', from: "return 'duplicate'\n  return 'stale'", to: "return 'duplicate'\n  return 'apply'",
    test: SIMULATION, says: /V[1-5]/,
  },
  {
    guard: 'record rule: the same version again is a duplicate', keeps: 'V3: a resend has no effect',
    file: 'schemas/record-rule.ts', from: "if (incoming.version === current.version && incoming.hash.equals(current.hash)) return 'duplicate'", to: "if (incoming.version === current.version && incoming.hash.equals(current.hash)) return 'apply'",
    test: SIMULATION, says: /V[345]/,
  },
  {
    guard: 'folding: the newest version inside a batch is the one to compare with', keeps: 'V4: order inside a batch',
    file: 'services/replicator/apply.ts', from: 'const head = state.put ?? state.stored', to: 'const head = state.stored',
    test: SIMULATION, says: /V[1-5]/,
  },
  {
    guard: 'folding: a version that came and went inside a batch goes into history', keeps: 'V1: no version disappears',
    file: 'services/replicator/apply.ts', from: 'state.folded.push({ item: state.put, to: item.offset })', to: 'void state.folded',
    test: SIMULATION, says: /V3 versions|V1|V4/,
  },
  {
    guard: 'a stale event shadows its record', keeps: 'V5: compaction leaves the newest version',
    file: 'services/replicator/apply.ts', from: "if (share.own) shadows.set(item.key, verdict === 'stale' ? item.offset : undefined)", to: 'if (share.own) shadows.set(item.key, undefined)',
    test: SIMULATION, says: /V5/,
  },
  {
    guard: 'a parked event shadows its record', keeps: 'V5: compaction leaves the newest version',
    file: 'services/replicator/apply.ts', from: 'if (share.own && (state.put ?? state.stored) !== undefined) shadows.set(item.key, item.offset)', to: 'void state',
    test: SIMULATION, says: /V5/,
  },
  {
    guard: 're-publication of what is shadowed', keeps: 'V5: compaction leaves the newest version',
    file: 'services/gateway/publish/republish.ts', from: 'if (published !== undefined && published.version > row.version) return', to: 'if (published !== undefined) return',
    test: SIMULATION, says: /V5/,
  },
  {
    guard: 'digest: the replaced row leaves it', keeps: 'V5: digest equals recount',
    file: 'services/replicator/apply.ts', from: '      xor(digest, stored.hash)\n', to: '',
    test: SIMULATION, says: /V5 digest/,
  },
  {
    guard: 'parked digest: a buried event leaves it', keeps: 'V5: parked sets compare',
    file: 'services/replicator/apply.ts', from: '      xor(parkedDigest, stored.hash)\n', to: '',
    test: SIMULATION, says: /V5 parked digest/,
  },
  {
    guard: 'missing offsets are counted', keeps: 'V6: every offset is in one class',
    file: 'services/replicator/apply.ts', from: 'counts.absent += item.offset - next', to: 'counts.absent += 0',
    test: SIMULATION, says: /V6 offsets in classes/,
  },
  {
    guard: 'decoder: every count is checked before anything is allocated for it', keeps: 'no event takes the process',
    file: 'services/runtime/codec.ts', from: 'const checked = reader.guard(wire, HEADER_BYTES)', to: "const checked = reader.guard(wire, HEADER_BYTES) && { ok: true as const, reason: '' }",
    test: { project: 'unit', file: 'test/decoder/fuzz.test.ts' }, says: /heap out of memory/,
  },
  {
    guard: 'decoder: the index of a union names a branch', keeps: 'no event takes the process',
    file: 'schemas/guard.ts', from: "return step === undefined ? fail(scan, 'union index') : step(scan)", to: 'return step!(scan)',
    test: { project: 'unit', file: 'test/decoder/fuzz.test.ts' }, says: /is not a function/,
  },
  {
    guard: 'decoder: nothing follows the value', keeps: 'V5: one event has one reading',
    file: 'schemas/guard.ts', from: "return scan.at === bytes.length ? OK : { ok: false, reason: 'bytes behind the end' }", to: 'return OK',
    test: { project: 'unit', file: 'schemas/guard.test.ts' }, says: /bytes behind the end/,
  },
  {
    guard: 'check characters of the social credit code', keeps: 'a mistyped code is flagged in every region',
    file: 'schemas/uscc.ts', from: 'valid: outerCheckHolds(code) && innerCheckHolds(code)', to: 'valid: true',
    test: { project: 'unit', file: 'schemas/uscc.test.ts' }, says: /valid|to be false|false/,
  },
  {
    guard: 'relay: nothing on the log is from a later state of the database', keeps: 'V1, V4: a restored database gives no sequence and no version twice',
    file: 'services/relay/restored.ts', from: 'if (ahead.length > 0) throw', to: 'if (ahead.length < 0) throw',
    test: { project: 'stack', file: 'test/faults/restored.stack.test.ts' }, says: /not seen: it stands still/,
  },
  {
    guard: 'an origin clears nothing before it has published again', keeps: 'V1: after a topic was created anew nobody else has the bytes',
    file: 'services/replicator/rebuild.ts', from: 'place.sent && place.relayGeneration !== state.generation', to: 'place.sent && place.relayGeneration === undefined',
    test: { project: 'unit', file: 'services/replicator/rebuild.test.ts' }, says: /hub republish/,
  },
  {
    guard: 'the first sequence of a log is the one that its origin begins with', keeps: 'V1: a loss at the beginning of a log that was created anew is seen',
    file: 'services/replicator/slot.ts', from: '!(starts && slot.lastSequence < 0)', to: '!(slot.lastSequence < 0)',
    test: { project: 'unit', file: 'services/replicator/slot.test.ts' }, says: /to be true/,
  },
  {
    guard: 'not-listed only while every region is complete', keeps: 'a lookup never says of a firm that it is not listed when it cannot know',
    file: 'services/credit-lookup/answer.ts', from: "listed ? 'listed' : complete ? 'not-listed' : 'unknown'", to: "listed ? 'listed' : 'not-listed'",
    test: { project: 'unit', file: 'test/credit-lookup/model.test.ts' }, says: /unknown/,
  },
]
