import { expect, test } from 'vitest'
import { currentPage, renderPage } from './configuration.ts'

test('docs/configuration.md names every setting as the code has it; npm run generate writes it', () => {
  expect(currentPage()).toBe(renderPage())
})

test('no path of the machine it was made on stands in it', () => {
  expect(renderPage()).not.toMatch(/`\/[a-z]+\//)
})
