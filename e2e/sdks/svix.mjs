import { Webhook } from "svix";

export function sign({ secret, body, at }) {
  const id = `msg_${at}`;
  return {
    "svix-id": id,
    "svix-timestamp": `${at}`,
    "svix-signature": new Webhook(secret).sign(id, new Date(at * 1000), body),
  };
}

export function verify({ secret, body, headers }) {
  new Webhook(secret).verify(body, headers);
}
