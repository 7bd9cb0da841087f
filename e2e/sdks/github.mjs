import * as github from "@octokit/webhooks-methods";

export async function sign({ secret, body }) {
  return { "x-hub-signature-256": await github.sign(secret, body) };
}

export async function verify({ secret, body, headers }) {
  if (!(await github.verify(secret, body, headers["x-hub-signature-256"]))) throw new Error("the signature does not match");
}
