// Asks both libraries to verify requests: a JSON list of {headers, body, secret} on stdin, on stdout
// for each the verdicts {standardwebhooks, svix}: "ok", or what the library threw.
import { text } from "node:stream/consumers";
import * as standardwebhooks from "standardwebhooks";
import * as svix from "svix";

const libraries = { standardwebhooks, svix };

function verdict(library, { headers, body, secret }) {
  try {
    new library.Webhook(secret).verify(body, headers);
    return "ok";
  } catch (err) {
    return err.message;
  }
}

const requests = JSON.parse(await text(process.stdin));
console.log(JSON.stringify(requests.map((request) =>
  Object.fromEntries(Object.entries(libraries).map(([name, library]) => [name, verdict(library, request)])))));
