// Uses the console as an operator does: opens the link that signs them in, looks at every page, finds
// the endpoint that waits for a person, approves with a reason, and watches the page until nothing
// waits any more. Prints {found, said, subject, wide, outside, errors}: what axe found to be serious,
// page by page, what the console said of the decision, and pages that are wider than a phone.
// Arguments: the browser, the link, a folder for screenshots or "", an event.
import { looker } from "./look.mjs";
import { open } from "./open.mjs";

const [executablePath, link, shots, event] = process.argv.slice(2);
const { browser, page, outside } = await open(executablePath);
const errors = [];
page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
page.on("pageerror", (error) => errors.push(error.message));

await page.goto(link);
const home = page.url();
const base = home.replace(/\/$/, "");
const { look, found, wide } = looker(page, shots);

await page.getByText("Decide", { exact: true }).waitFor();
await look("health");
for (const name of ["endpoints", "events", "undelivered", "sources", "audit", "?as=table", `events/${event}`]) {
  await page.goto(name.startsWith("?") ? base + name : `${base}/${name}`);
  await look(name.replace("?as=", "").split("/")[0] + (name.includes("/") ? "-one" : ""));
}
await page.getByRole("button", { name: "Show what it says" }).click(); // the data takes the button's place
await page.getByText("bytes, event").waitFor();
await look("event-data");

await page.goto(home);
await page.locator("#asked").locator("xpath=..").getByRole("listitem").getByRole("heading").getByRole("link").first().click();
await page.getByRole("button", { name: "Approve" }).waitFor();
await look("endpoint");
await page.getByRole("link", { name: "All attempts" }).click();
await look("attempts");

await page.goto(home); // and decided where one sees it first
await page.getByText("Decide", { exact: true }).click();
for (let news = 0; news < 2; news++) { // which come by themselves, and leave open what is open
  await page.waitForResponse((answer) => answer.url().startsWith(home) && answer.request().resourceType() !== "document");
}
const approve = page.locator("form", { has: page.getByRole("heading", { name: "Approve" }) });
await approve.getByLabel("Reason").fill("their firewall is mended");
await page.keyboard.press("Tab"); // to the button, by the keyboard alone
await page.keyboard.press("Enter");
const said = await page.getByRole("status").innerText();

await page.getByRole("link", { name: "Health" }).click();
await page.getByText("No endpoint waits for a person.").waitFor({ timeout: 60_000 }); // without reloading
await page.getByText("Every endpoint is active").waitFor({ timeout: 60_000 });
await look("mended");

await browser.close();
console.log(JSON.stringify({ found, said, wide, outside, errors }));
