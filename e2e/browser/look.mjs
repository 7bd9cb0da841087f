// How a page of ours looks: a picture of it in both colours, what axe finds to be serious, and whether it
// fits a phone.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { picture } from "./open.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const all = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"] };
const contrast = { type: "rule", values: ["color-contrast"] };

// serious names what a screen reader or a keyboard would stumble over.
export async function serious(page, only = all) {
  const { violations } = await page.evaluate(`${axe}; axe.run(document, { runOnly: ${JSON.stringify(only)} })`);
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
}

// looker gives a function that looks at the page, and what it finds on the way: found, and what is wide.
export function looker(page, shots) {
  const [found, wide] = [[], []];
  return { found, wide, look };

  async function look(name) {
    await colour("dark", contrast); // the rest of a page is the same in both
    await colour("light", all);
    await page.setViewportSize({ width: 390, height: 800 });
    await picture(page, shots, `${name}-phone`, { fullPage: true });
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (excess > 0) wide.push(`${name}: ${excess} px`);
    await page.setViewportSize({ width: 1200, height: 900 });

    async function colour(colorScheme, only) {
      await page.emulateMedia({ colorScheme });
      await picture(page, shots, `${name}-${colorScheme}`, { fullPage: true });
      found.push(...(await serious(page, only)).map((what) => `${name} ${colorScheme}: ${what}`));
    }
  }
}
