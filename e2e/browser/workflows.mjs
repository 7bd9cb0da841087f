// Opens the Temporal UI's list of workflows for the first time, then the newest Delivery and its
// metadata. Prints what a person would read: {columns, row, metadata, outside}; outside lists
// requests that left this machine. Arguments: the browser, the UI's URL, a folder for screenshots or "".
import { open, picture, readMetadata, texts } from "./open.mjs";

const [executablePath, ui, shots] = process.argv.slice(2);
const { browser, page, outside } = await open(executablePath);

await page.goto(`${ui}/`);
const delivery = page.locator("tbody tr", { hasText: "delivery/" }).first();
await delivery.waitFor();
await picture(page, shots, "workflows");
const columns = await texts(page.locator("thead th"));
const row = await texts(delivery.locator("td"));

await delivery.locator("a", { hasText: "delivery/" }).click();
const metadata = await readMetadata(page, "attempt 1 at");
await picture(page, shots, "delivery");

await browser.close();
console.log(JSON.stringify({ columns, row, metadata, outside }));
