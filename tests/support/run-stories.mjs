#!/usr/bin/env node
// Runs story files, two at a time: one line for each, what failed in full, and as the last line "stories: N passed, N failed".
// Usage: run-stories.mjs FILE...     STORY_TIMEOUT: seconds for one file (default 300; four times that with SESSION_STORIES=long)
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Apache } from './apache.mjs';
import { startProcess } from './scratch.mjs';

const support = dirname(fileURLToPath(import.meta.url));
const tests = join(support, '..');
const results = mkdtempSync(join(tmpdir(), 'proconnect-results-'));
const seconds = Number(process.env.STORY_TIMEOUT ?? 300) * (process.env.SESSION_STORIES === 'long' ? 4 : 1);
const shownInFull = 10;  // failures of one file
const total = { passed: 0, failed: 0 };
const files = process.argv.slice(2).map((file) => resolve(file));

async function runFile(file, index) {
  const resultFile = join(results, `${index}.json`);
  const began = Date.now();
  const reporter = pathToFileURL(join(support, 'reporter.mjs')).href;
  const story = startProcess(process.execPath, [`--test-reporter=${reporter}`, '--test-reporter-destination=stdout', file], {
    cwd: tests, env: { ...process.env, STORY_RESULT: resultFile, NODE_NO_WARNINGS: '1' },
  });
  let late = false;
  const timer = setTimeout(() => { late = true; story.stop({ within: 2000 }); }, seconds * 1000);
  const { code } = await story.exited;
  clearTimeout(timer);

  const result = existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, 'utf8')) : { passed: 0, failed: 0, failures: [] };
  if (late) addFailure(result, `not finished within ${seconds} seconds`);
  else if (code !== 0 && result.failed === 0) addFailure(result, `ended with code ${code}`);
  else if (result.passed + result.failed === 0) addFailure(result, 'ran no test');
  if (result.failed > 0 && result.failures.every((failure) => !failure.text)) result.failures.push({ name: 'output', text: story.output.stderr });

  total.passed += result.passed;
  total.failed += result.failed;
  const took = ((Date.now() - began) / 1000).toFixed(1);
  const word = result.failed > 0 ? 'FAIL' : 'ok  ';
  console.log(`${word} ${relative(tests, file).padEnd(44)} ${String(result.passed).padStart(3)} passed${result.failed ? `, ${result.failed} failed` : ''}  (${took} s)`);
  result.failures.forEach(({ name, text }, at) => console.log(indent(at < shownInFull ? `✗ ${name}\n${indent(text)}` : `✗ ${name}`)));
  if (result.failed > 0 && story.output.stderr.trim()) console.log(indent(story.output.stderr.trim()));
}

function addFailure(result, text) {
  result.failed += 1;
  result.failures.push({ name: 'the file as a whole', text });
}

const indent = (text) => String(text).split('\n').map((line) => `    ${line}`).join('\n');

/** A module that httpd cannot load would fail every story in its own way: said once instead. */
async function moduleLoads() {
  const apache = await Apache.create({ label: 'preflight', logLevel: 'warn' });
  const { code, stderr } = await apache.configtest();
  await apache.close();
  if (code !== 0) console.log(`FAIL httpd does not load the module: ${stderr.trim()}`);
  return code === 0;
}

let next = 0;
async function worker() {
  while (next < files.length) {
    const index = next;
    next += 1;
    await runFile(files[index], index);
  }
}
if (await moduleLoads()) await Promise.all([worker(), worker()]);
else total.failed += 1;
rmSync(results, { recursive: true, force: true });
console.log(`stories: ${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
