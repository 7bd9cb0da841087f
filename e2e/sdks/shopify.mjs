// Shopify's library validates webhooks. It has no function to sign one, but exports the HMAC it
// compares with.
import "@shopify/shopify-api/adapters/node";
import { ApiVersion, LogSeverity, shopifyApi } from "@shopify/shopify-api";
import { createSHA256HMAC, HashFormat } from "@shopify/shopify-api/runtime";

export async function sign({ secret, body, headers }) {
  const family = "shopify-topic" in headers ? "shopify" : "x-shopify";
  return { [`${family}-hmac-sha256`]: await createSHA256HMAC(secret, body, HashFormat.Base64) };
}

export async function verify({ secret, body, headers }) {
  const shopify = shopifyApi({
    apiKey: "nobody", apiSecretKey: secret, apiVersion: Object.values(ApiVersion)[0],
    hostName: "app.example.test", isEmbeddedApp: false, logger: { level: LogSeverity.Error },
  });
  const validated = await shopify.webhooks.validate({ rawBody: body, rawRequest: { method: "POST", url: "/", headers } });
  if (!validated.valid) throw new Error(validated.reason);
}
