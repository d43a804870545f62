import { runCli } from './cli.ts'
import { addAnnouncement } from './commands/announcement.ts'
import { addCallers } from './commands/caller.ts'
import { addCredit } from './commands/credit.ts'
import { addDemo } from './commands/demo.ts'
import { addDoctor } from './commands/doctor.ts'
import { addEnded } from './commands/ended.ts'
import { addImport } from './commands/import.ts'
import { addLag } from './commands/lag.ts'
import { addParked } from './commands/parked.ts'
import { addPublish } from './commands/publish.ts'
import { addRebuild } from './commands/rebuild.ts'
import { addReceipt, addRecords } from './commands/records.ts'
import { addRecover } from './commands/recover.ts'
import { addRepair } from './commands/repair.ts'
import { addRepublish } from './commands/republish.ts'
import { addSchemas } from './commands/schemas.ts'
import { addTopics } from './commands/topics-apply.ts'
import { addUp } from './commands/up.ts'
import { addVerify } from './commands/verify.ts'
import { addVerifyAnswer } from './commands/verify-answer.ts'
import type { CliIo } from './cli.ts'
import type { Exit } from './failure.ts'

const LINGER_MS = 300

/** The command line of the hub: runs one command and resolves with its exit status. */
export function hub(args: readonly string[], io: CliIo): Promise<Exit> {
  return runCli(args, io, (program, cli) => {
    for (const add of [addUp, addDemo, addPublish, addImport, addRecords, addReceipt, addEnded, addLag, addVerify, addRepair, addRepublish, addRebuild, addRecover, addParked, addCredit, addAnnouncement, addVerifyAnswer, addSchemas, addTopics, addCallers, addDoctor]) add(program, cli)
  })
}

if (import.meta.main) {
  process.exitCode = await hub(process.argv.slice(2), {
    env: process.env,
    stdin: process.stdin,
    write: (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
    terminal: process.stderr.isTTY === true,
    onSignal: (listener) => { for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, listener) },
  })
  // A part that hangs, and that the command no longer waits for, may still hold a socket open.
  setTimeout(() => process.exit(), LINGER_MS).unref()
}
