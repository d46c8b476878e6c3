// A reporter for node:test that leaves its figures in the file named by STORY_RESULT, for run-stories.
import { writeFileSync } from 'node:fs';

export default async function* report(events) {
  const result = { passed: 0, failed: 0, skipped: 0, failures: [] };
  const count = (event) => {
    const { name, details, skip, todo } = event.data;
    if (details?.type === 'suite' && event.type === 'test:pass') return;
    if (skip !== undefined || todo !== undefined) {
      result.skipped += 1;
    } else if (event.type === 'test:pass') {
      result.passed += 1;
    } else {
      const error = details?.error?.cause ?? details?.error;
      if (details?.type === 'suite' && details?.error?.failureType === 'subtestsFailed') return;
      result.failed += 1;
      result.failures.push({ name, text: error?.stack ?? String(error) });
    }
  };
  for await (const event of events) {
    if (event.type === 'test:pass' || event.type === 'test:fail') count(event);
    if (event.type === 'test:stdout' || event.type === 'test:stderr') yield event.data.message;
  }
  writeFileSync(process.env.STORY_RESULT, JSON.stringify(result));
}
