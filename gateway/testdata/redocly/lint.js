// Says what redocly's recommended rules find in the OpenAPI document named by the first argument.
import { createConfig, lint } from '@redocly/openapi-core';

const config = await createConfig({ extends: ['recommended'] });
const problems = await lint({ ref: process.argv[2], config });
for (const p of problems) {
  console.log(`${p.severity} ${p.ruleId}: ${p.message} (${p.location[0].pointer})`);
}
