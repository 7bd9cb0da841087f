// Goes the way of an endpoint's owner through the portal: from the link, by the list, to the delivery that
// failed, sends it again, makes a new secret, goes back, reloads; then in the frames of two other pages, and
// with a second link in a second tab. Prints what was seen; "leaks" are requests that hold a token in their
// address or Referer. Arguments: the browser, the owner's link, a link for another endpoint, a folder for
// screenshots, a page that may frame the portal, one that may not, the event.
import { looker } from "./look.mjs";
import { open, picture } from "./open.mjs";

const [executablePath, link, second, shots, allowed, other, event] = process.argv.slice(2);
const { browser, outside } = await open(executablePath);
const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
context.setDefaultTimeout(120_000);
const page = await context.newPage();
const { look, found, wide } = looker(page, shots);
const [errors, leaks] = [[], []];
const gateway = new URL(link).origin;

function watch(page) {
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith("http") && hostname !== "127.0.0.1") outside.push(request.url());
    const told = request.url().split("#")[0] + (request.headers().referer ?? "");
    if (request.url().startsWith(gateway) && told.includes("hkp_")) leaks.push(told);
  });
}
watch(page);

const text = (of) => of.locator("#page").innerText();

await page.goto(link);
await page.getByRole("link", { name: "Shop" }).waitFor();
const home = await text(page);
if (page.url().includes("#")) leaks.push(page.url());
await look("home");
await page.getByRole("link", { name: "Shop" }).click();
await page.getByRole("heading", { name: "Attempts" }).waitFor();
await look("endpoint");

await page.getByRole("link", { name: "order.paid" }).first().click();
await page.getByRole("heading", { name: "order.paid" }).waitFor();
const answer = await text(page);
await page.getByRole("button", { name: "Show what is sent" }).click();
await page.getByLabel("Its data").waitFor();
const data = await page.getByLabel("Its data").innerText();
await look("event");
await page.getByRole("button", { name: "Send again" }).focus();
await page.keyboard.press("Enter"); // by the keyboard alone
await page.getByRole("status").filter({ hasText: "Sent again" }).waitFor();
const sent = await text(page);
await page.getByText("HTTP 200").waitFor({ timeout: 60_000 }); // without reloading

await page.getByRole("link", { name: "Shop" }).click();
await page.getByLabel("The old one signs as well for").selectOption("1h");
await page.getByRole("button", { name: "Make a new secret" }).click();
await page.locator("#the-secret").waitFor();
const secret = await page.locator("#the-secret").innerText();
const overlap = await text(page);
await look("rotated");
await page.getByRole("link", { name: "Code to verify" }).click();
await page.getByRole("heading", { name: "PHP" }).waitFor();
await look("verify");
await page.goBack();
await page.getByRole("heading", { name: "Attempts" }).waitFor();
const back = await text(page);
await page.reload();
await page.getByRole("heading", { name: "Attempts" }).waitFor();
const reloaded = await text(page);

// Two links in one browser, a tab each.
const tab = await context.newPage();
watch(tab);
await tab.goto(second);
await tab.getByRole("heading", { name: "Foreign" }).waitFor();
await page.reload();
await page.getByRole("heading", { name: "Attempts" }).waitFor();
const [others, mine] = [await text(tab), await text(page)];

// In a frame of the app's page, and in one of another site.
await tab.goto(allowed);
const frame = tab.frameLocator("iframe");
await frame.getByRole("link", { name: "Shop" }).click();
await frame.getByRole("heading", { name: "Attempts" }).waitFor();
const framed = await frame.locator("#page").innerText();
await picture(tab, shots, "portal-framed");
const strange = await context.newPage();
await strange.goto(other);
await strange.waitForLoadState("networkidle");
const refused = await strange.frames().at(-1).content().catch((error) => String(error));

await browser.close();
console.log(JSON.stringify({
  found, wide, outside, errors, leaks, home, answer, data, sent, secret, overlap, back, reloaded, framed, refused, other: others, mine,
}));
