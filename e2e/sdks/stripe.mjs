import Stripe from "stripe";

const { webhooks } = new Stripe("sk_test_nobody");

export function sign({ secret, body, at }) {
  return { "stripe-signature": webhooks.generateTestHeaderString({ payload: body, secret, timestamp: at }) };
}

export function verify({ secret, body, headers }) {
  webhooks.constructEvent(body, headers["stripe-signature"], secret);
}
