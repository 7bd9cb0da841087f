// Signs in to the console at an OpenID Connect provider as a person does, and out again. Prints {found,
// signedIn, who, keeps, out, again, outside, errors}: what axe found on the sign-in page, where the
// person came to, the names of the cookies they have there, and what they read after signing out.
// Arguments: the browser, a page of the console, a folder for screenshots or "".
import { serious } from "./look.mjs";
import { open, picture } from "./open.mjs";

const [executablePath, wanted, shots] = process.argv.slice(2);
const { browser, page, outside } = await open(executablePath);
const errors = [];
const ours = (url) => url.startsWith(new URL(wanted).origin); // the provider's own pages lack an icon
page.on("console", (message) => message.type() === "error" && ours(message.location().url) && errors.push(message.text()));
page.on("pageerror", (error) => errors.push(error.message));

await page.goto(wanted);
const found = await serious(page);
for (const colorScheme of ["dark", "light"]) {
  await page.emulateMedia({ colorScheme });
  await picture(page, shots, `oidc-sign-in-${colorScheme}`, { fullPage: true });
}

await page.getByRole("link", { name: "Sign in with your organisation" }).click();
await page.getByLabel("Username").fill("test-user2");
await page.getByLabel("Password").fill("verysecure");
await picture(page, shots, "oidc-provider");
await page.getByRole("button", { name: "Login" }).click();
await page.getByRole("button", { name: "Sign out" }).waitFor();
await picture(page, shots, "oidc-signed-in", { fullPage: true });
const signedIn = page.url();
const who = await page.locator("header").innerText();
const keeps = (await page.context().cookies(wanted)).map(({ name, httpOnly }) => `${name} ${httpOnly}`);

await page.getByRole("button", { name: "Sign out" }).click();
const out = await page.getByRole("status").innerText();
await picture(page, shots, "oidc-signed-out", { fullPage: true });
await page.getByRole("link", { name: "sign out there too" }).click();
await page.getByText("signed out").waitFor();
await page.goto(wanted);
const again = page.url();

await browser.close();
console.log(JSON.stringify({ found, signedIn, who, keeps, out, again, outside, errors }));
