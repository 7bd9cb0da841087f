// Opens the Temporal UI's list of workflows for the first time, then the newest Delivery and its
// metadata. Prints what a person would read: {columns, row, metadata, outside}; outside lists
// requests that left this machine. Arguments: the browser, the UI's URL, a folder for screenshots.
import { chromium } from "playwright-core";

const [executablePath, ui, shots] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage({ viewport: { width: 1600, height: 900 } });
const outside = [];
page.on("request", (request) => {
  const { protocol, hostname } = new URL(request.url());
  if (protocol.startsWith("http") && hostname !== "127.0.0.1") outside.push(request.url());
});
const texts = async (cells) => (await cells.allInnerTexts()).map((text) => text.trim()).filter(Boolean);

await page.goto(`${ui}/`);
const delivery = page.locator("tbody tr", { hasText: "delivery/" }).first();
await delivery.waitFor();
await page.screenshot({ path: `${shots}/workflows.png` });
const columns = await texts(page.locator("thead th"));
const row = await texts(delivery.locator("td"));

await delivery.locator("a", { hasText: "delivery/" }).click();
await page.getByText("User Metadata").first().click();
await page.frameLocator("iframe").last().getByText("attempt 1 at").first().waitFor(); // Markdown is shown in a frame
await page.screenshot({ path: `${shots}/delivery.png` });
const frames = page.frames().map((frame) => frame.locator("body").innerText());
const metadata = (await Promise.all(frames)).join("\n");

await browser.close();
console.log(JSON.stringify({ columns, row, metadata, outside }));
