// What the scripts here have in common: a browser that has never seen the Temporal UI, and reading.
import { chromium } from "playwright-core";

// outside fills with requests that leave this machine.
export async function open(executablePath) {
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  const page = await browser.newPage({ viewport: { width: 1600, height: 900 }, reducedMotion: "reduce" });
  page.setDefaultTimeout(120_000); // far above what anything takes on a busy machine
  const outside = [];
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith("http") && hostname !== "127.0.0.1") outside.push(request.url());
  });
  return { browser, page, outside };
}

// picture keeps how a page looks, where there is a folder for it: to draw a page costs as much as to load it.
export async function picture(page, shots, name, options) {
  if (shots) await page.screenshot({ path: `${shots}/${name}.png`, ...options });
}

export const texts = async (cells) => (await cells.allInnerTexts()).map((text) => text.trim()).filter(Boolean);

// readMetadata gives the summary and the current details of the workflow that is shown, as soon as they
// hold text, a string or a regular expression. The UI refreshes them when R is pressed.
export async function readMetadata(page, text) {
  await page.getByRole("tab", { name: "User Metadata" }).click();
  const shown = page.frameLocator("iframe").last().getByText(text).first(); // Markdown is shown in a frame
  for (let patience = 60; patience > 0; patience--) {
    if (await shown.waitFor({ timeout: 1000 }).then(() => true, () => false)) break;
    await page.keyboard.press("r");
  }
  await shown.waitFor({ timeout: 1000 });
  const frames = page.frames().slice(1).map((frame) => frame.locator("body").innerText());
  return (await Promise.all(frames)).join("\n");
}
