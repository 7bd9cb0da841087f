// Decides about an endpoint in the panel that the Temporal UI shows on the page of its Approval. Prints
// {asked, said, errors}: what the panel says before and after. Arguments: the browser, the link that
// signs in to the console, the UI's URL, a folder for screenshots or "", the endpoint.
import { open, picture } from "./open.mjs";

const [executablePath, link, ui, shots, endpoint] = process.argv.slice(2);
const { browser, page, outside } = await open(executablePath);
const query = 'WorkflowType = "Approval" AND Outcome = "awaiting-approval"';
const find = async () => {
  await page.goto(`${ui}/namespaces/default/workflows?query=${encodeURIComponent(query)}`);
  await page.locator("tbody tr", { hasText: endpoint }).locator("a", { hasText: "approval/" }).click();
  return page.locator("[data-temporal-extension-id=hookloop]").frameLocator("iframe");
};

await (await find()).getByText("Sign in to see here").waitFor(); // nobody is signed in yet
await page.goto(link);
const panel = await find();
const approve = panel.locator("form", { has: page.getByRole("heading", { name: "Approve" }) });
await approve.getByLabel("Reason").fill("mended, says the panel");
const asked = await panel.locator("main").innerText();
await picture(page, shots, "panel-asks");
await approve.getByRole("button", { name: "Approve" }).click();
const said = await panel.getByRole("status").innerText();
await picture(page, shots, "panel-said");

await browser.close();
console.log(JSON.stringify({ asked, said, outside }));
