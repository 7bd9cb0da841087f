// What Google tells receivers of Pub/Sub to do, with the test's certificates in place of Google's.
import { OAuth2Client } from "google-auth-library";

const issuers = ["accounts.google.com", "https://accounts.google.com"];

export async function verify({ headers, certificates, audience, email }) {
  const token = headers.authorization.replace("Bearer ", "");
  const ticket = await new OAuth2Client().verifySignedJwtWithCertsAsync(token, certificates, audience, issuers);
  const claims = ticket.getPayload();
  if (claims.email !== email || !claims.email_verified) throw new Error("the token is somebody else's");
}
