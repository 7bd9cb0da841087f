// Reads an encrypted workflow as people do who may see more or less: tells the UI in its own dialog where the
// codec server is, and looks at input and result, with each token in turn. Prints {sealed, seen, outside}: the
// page's text before, and for each token {shown, answers}, the text after and the status of each answer of the
// codec server. Arguments: the browser, the UI's URL, a folder for screenshots or "", the workflow's id, the
// codec server's URL, and the tokens as JSON, "" for none. A UI with single sign-on sends the token it has; this
// one has none, so the token is put on its requests on their way, as a proxy would.
import { open, picture } from "./open.mjs";

const [executablePath, ui, shots, workflow, codec, tokens] = process.argv.slice(2);
const { browser, page, outside } = await open(executablePath);
const decodes = (request) => request.method() === "POST" && request.url().startsWith(`${codec}/decode`);
const read = async () => {
  await page.locator(".cm-content:visible").first().waitFor();
  return (await page.locator(".cm-content:visible").allInnerTexts()).join("\n");
};

await page.goto(`${ui}/namespaces/default/workflows/${encodeURIComponent(workflow)}`);
const sealed = await read();
await picture(page, shots, "sealed");

let [token, asked, answers] = ["", 0, []];
page.on("request", (request) => { if (decodes(request)) asked++; });
page.on("response", (response) => { if (decodes(response.request())) answers.push(response.status()); });
await page.route(`${codec}/**`, (route) => route.continue({
  headers: token ? { ...route.request().headers(), authorization: `Bearer ${token}` } : route.request().headers(),
}));
await page.getByRole("button", { name: "Configure Codec Server" }).click();
const dialog = page.getByRole("dialog").filter({ hasText: "Codec Server" });
await dialog.getByRole("radio", { name: "Use my browser setting" }).check();
await dialog.getByRole("textbox").fill(codec);
await picture(page, shots, "codec-server");
await dialog.getByRole("button", { name: "Apply" }).click();
await dialog.waitFor({ state: "hidden" });

// Not "networkidle": the UI leaves the bodies of refusals unread, and what is not to be stored is then never over.
const settled = async () => {
  for (let quiet = 0; quiet < 4; quiet = asked === answers.length ? quiet + 1 : 0) await page.waitForTimeout(250);
};
const seen = [];
for (const next of JSON.parse(tokens)) {
  await settled(); // what the last one asked for is none of this one's
  [token, asked, answers] = [next, 0, []];
  const answered = page.waitForResponse((response) => decodes(response.request()));
  await page.reload();
  await answered;
  await settled();
  seen.push({ shown: await read(), answers: [...answers] });
  await picture(page, shots, `shown-${seen.length}`);
}

await browser.close();
console.log(JSON.stringify({ sealed, seen, outside }));
