// Decides about an endpoint as an operator does: finds its Approval in the list of those that wait
// for a person, reads it, and gives orders by the UI's own dialogs. Prints {row, offered, details,
// outside}: what each dialog lets choose from, and the summary with the current details, as they
// were and after each order. Arguments: the browser, the UI's URL, a folder for screenshots or "", the
// endpoint, and the orders as JSON: [{kind, name, input, then}]. The kind is "Signal" or "Update",
// an empty input stays empty, and then is a regular expression for what the details say once the
// order was heard.
import { open, picture, readMetadata, texts } from "./open.mjs";

const [executablePath, ui, shots, endpoint, orders] = process.argv.slice(2);
const { browser, page, outside } = await open(executablePath);
const keep = (name) => picture(page, shots, name);

const query = 'WorkflowType = "Approval" AND Outcome = "awaiting-approval"'; // what an operator saves
await page.goto(`${ui}/namespaces/default/workflows?query=${encodeURIComponent(query)}`);
const approval = page.locator("tbody tr", { hasText: endpoint });
await approval.waitFor();
await keep("approvals");
const row = await texts(approval.locator("td"));

await approval.locator("a", { hasText: "approval/" }).click();
const details = [await readMetadata(page, "awaiting-approval")];
await keep("approval");

const offered = [];
for (const { kind, name, input, then } of JSON.parse(orders)) {
  await page.getByRole("button", { name: "More Actions" }).click();
  await page.getByRole("menuitem", { name: kind }).click();
  const dialog = page.getByRole("dialog").filter({ hasText: kind });
  await dialog.locator("button[aria-haspopup]").first().click();
  const option = dialog.getByRole("option", { name: new RegExp(`^${name}\\b`) });
  await option.waitFor();
  offered.push((await texts(dialog.getByRole("option"))).map((text) => text.split("\n")[0])); // without what it is for
  await keep(`${kind}-${details.length}-names`);
  await option.click();
  if (input) {
    const data = dialog.getByRole("textbox", { name: "Data" });
    await data.fill(input);
    await data.blur(); // it is laid out anew, and a click meanwhile would miss its button
  }
  await keep(`${kind}-${details.length}`);
  await dialog.getByRole("button", { name: "Submit" }).click();
  await dialog.waitFor({ state: "hidden" });
  details.push(await readMetadata(page, new RegExp(then)));
  await keep(`approval-${details.length - 1}`);
}

await browser.close();
console.log(JSON.stringify({ row, offered, details, outside }));
