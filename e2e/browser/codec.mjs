// Reads an encrypted workflow as an auditor does: tells the UI in its own dialog where the codec server is, and
// looks at input and result. Prints {sealed, shown, answers, outside}: the page's text before and after, and the
// status of each answer of the codec server. Arguments: the browser, the UI's URL, a folder for
// screenshots, the workflow's id, the codec server's URL, and a token, or "". A UI with single sign-on sends the
// token it has; this one has none, so the token is put on its requests on their way, as a proxy would.
import { open } from "./open.mjs";

const [executablePath, ui, shots, workflow, codec, token] = process.argv.slice(2);
const { browser, page, outside } = await open(executablePath);
const decodes = (response) => response.request().method() === "POST" && response.url().startsWith(`${codec}/decode`);
const answers = [];
let asked = 0;
page.on("request", (request) => { if (request.method() === "POST" && request.url().startsWith(`${codec}/decode`)) asked++; });
page.on("response", (response) => { if (decodes(response)) answers.push(response.status()); });
if (token) {
  await page.route(`${codec}/**`, (route) => route.continue({
    headers: { ...route.request().headers(), authorization: `Bearer ${token}` },
  }));
}
const read = async () => (await page.locator(".cm-content:visible").allInnerTexts()).join("\n");

await page.goto(`${ui}/namespaces/default/workflows/${encodeURIComponent(workflow)}`);
await page.locator(".cm-content:visible").first().waitFor();
const sealed = await read();
await page.screenshot({ path: `${shots}/sealed.png` });

await page.getByRole("button", { name: "Configure Codec Server" }).click();
const dialog = page.getByRole("dialog").filter({ hasText: "Codec Server" });
await dialog.getByRole("radio", { name: "Use my browser setting" }).check();
await dialog.getByRole("textbox").fill(codec);
await page.screenshot({ path: `${shots}/codec-server.png` });
const answered = page.waitForResponse(decodes);
await dialog.getByRole("button", { name: "Apply" }).click();
await dialog.waitFor({ state: "hidden" });
await page.reload();
await answered;
// Not "networkidle": the UI leaves the bodies of refusals unread, and what is not to be stored is then never over.
for (let quiet = 0; quiet < 4; quiet = asked === answers.length ? quiet + 1 : 0) await page.waitForTimeout(250);
await page.locator(".cm-content:visible").first().waitFor();
await page.screenshot({ path: `${shots}/shown.png` });
const shown = await read();

await browser.close();
console.log(JSON.stringify({ sealed, shown, answers, outside }));
