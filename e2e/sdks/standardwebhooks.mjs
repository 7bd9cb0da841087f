import { Webhook } from "standardwebhooks";

export function sign({ secret, body, at }) {
  const id = `msg_${at}`;
  return {
    "webhook-id": id,
    "webhook-timestamp": `${at}`,
    "webhook-signature": new Webhook(secret).sign(id, new Date(at * 1000), body),
  };
}

export function verify({ secret, body, headers }) {
  new Webhook(secret).verify(body, headers);
}
