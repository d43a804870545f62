import type { Edition } from '@hub/announcer/edition/model'
import { verifyEdition } from '@hub/announcer/edition/verify'
import { type PublicKeys, readPublicKeys } from '@hub/runtime/sign'
import { REGIONS, type Region } from '@hub/schemas/streams'
import type { Command } from 'commander'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeVerified } from '../announcement-text.ts'
import { announcementPath, announcerRegion, askAnnouncer, readFromAnnouncer, type Recomputation } from '../announcer-client.ts'
import type { Cli } from '../cli.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { both } from '../output.ts'
import { type Settings, toRegion } from '../settings.ts'

const FORMATS = ['json', 'html', 'xlsx']

/** `hub announcement export` and `verify`: an edition as a file, and what is in one. */
export function addAnnouncementFiles(command: (name: string, zh: string, en: string) => Command, one: (made: Command) => Command, cli: Cli): void {
  one(command('export', '导出已发布的一版或草案：JSON（签名所覆盖的原件）、网页、工作簿', 'write a published edition, or the draft, to a file: JSON (the bytes that were signed), page or workbook'))
    .option('--format <format>', `${FORMATS.join(', ')}`, 'json').option('--edition <n>', '版次；不写则为最新 · edition; else the newest').option('--draft', '草案，标明草案 · the draft, marked as one')
    .option('--out <file>', '写入的文件；不写则按公示命名，已有同名文件时不覆盖 · the file; else named after it, and never over one that is there')
    .action(cli.action(async ({ settings, out }, [campaign, year], options) => {
      const { format, edition, draft } = options as { format: string, edition?: string, draft?: boolean }
      if (!FORMATS.includes(format)) throw new CliFailure(EXIT.validation, `格式为 ${FORMATS.join('、')} 之一。`, `The format is one of ${FORMATS.join(', ')}.`)
      if (edition !== undefined && (draft === true || !/^[1-9]\d{0,2}$/.test(edition))) throw new CliFailure(EXIT.validation, '版次为正整数，且不与 --draft 同用。', 'An edition is a positive number, and goes without --draft.')
      const desk = announcementPath(campaign, year)
      const path = draft === true ? `${desk}/draft` : desk.replace('/v1/desk/', '/v1/')
      const bytes = await readFromAnnouncer(settings(), announcerRegion(settings(), options), `${path}?format=${format}${edition === undefined ? '' : `&edition=${edition}`}`)
      const named = options['out'] as string | undefined
      const file = named ?? `${campaign}-${year}${draft === true ? '-draft' : edition === undefined ? '' : `-${edition}`}.${format}`
      await writeFile(file, bytes, { flag: named === undefined ? 'wx' : 'w' }).catch((error: NodeJS.ErrnoException) => {
        throw new CliFailure(EXIT.validation, error.code === 'EEXIST' ? `${file} 已存在；请用 --out 指定文件。` : `${file} 无法写入。`, error.code === 'EEXIST' ? `${file} is there already: name a file with --out.` : `${file} cannot be written.`, { cause: error })
      })
      out.result({ file, bytes: bytes.length }, () => both(`已写入 ${file}，${bytes.length} 字节`, `written to ${file}, ${bytes.length} bytes`))
    }))

  command('verify', '核验公示文件：签名在任何地方，数字凭一个副本', 'verify a published file: the signatures anywhere, the figures by a replica')
    .argument('<file>', '公示文件（JSON） · the file')
    .option('--keys <folder>', '各地区公钥所在目录（<地区>/keys.yaml） · folder of the regions\' public keys')
    .option('--region <region>', '由此地区的副本复算 · have the replica of this region recompute the figures')
    .action(cli.action(async ({ settings, out }, [file], options) => {
      const bytes = await readFile(file!).catch((error: unknown) => { throw new CliFailure(EXIT.validation, `读不到 ${file}。`, `${file} cannot be read.`, { cause: error }) })
      const verified = verifyEdition(bytes, await keysIn((options['keys'] as string | undefined) ?? settings().publicKeysDir!))
      const figures = verified.edition === null || options['region'] === undefined ? undefined : await recomputed(settings(), toRegion(options['region'] as string), verified.edition)
      out.result({ valid: verified.valid, problems: verified.problems, struck: verified.struck, figures }, () => describeVerified(verified, figures))
      return verified.valid && figures?.same !== false ? EXIT.ok : EXIT.runtime
    }))
}

async function recomputed(settings: Settings, region: Region, { statement }: Edition): Promise<Recomputation> {
  return askAnnouncer<Recomputation>(settings, region, 'officer', 'POST', `${announcementPath(statement.campaign, String(statement.year))}/recomputations`, { edition: statement.edition })
}

async function keysIn(folder: string): Promise<Partial<Record<Region, PublicKeys>>> {
  const found = await Promise.all(REGIONS.map(async (region) => readPublicKeys(join(folder, region, 'keys.yaml')).then((keys) => [[region, keys] as const], () => [])))
  return Object.fromEntries(found.flat())
}
