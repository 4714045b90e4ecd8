// The way in, as SMART Backend Services has it: a signed assertion buys a token. Node's own crypto, no library.
import { createPrivateKey, randomUUID, sign } from 'node:crypto';

export const url = process.env.CASEBRIDGE_URL;
export const base = `${url}/fhir`;

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export async function token() {
  const key = createPrivateKey(process.env.CASEBRIDGE_PRIVATE_KEY);
  const now = Math.floor(Date.now() / 1000);
  const client = process.env.CASEBRIDGE_CLIENT_ID;
  const claims = { iss: client, sub: client, aud: `${url}/auth/token`, exp: now + 240, jti: randomUUID() };
  const text = `${encoded({ alg: 'ES384', typ: 'JWT', kid: process.env.CASEBRIDGE_KID })}.${encoded(claims)}`;
  const signature = sign('sha384', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  const answer = await fetch(`${url}/auth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'system/*.cruds',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: `${text}.${signature}`,
    }),
  });
  if (!answer.ok) throw new Error(`no token: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).access_token;
}

export const patient = (number, more = {}) => ({
  resourceType: 'Patient',
  identifier: [{ system: 'http://county.example/id', value: String(number) }],
  name: [{ family: 'Moreno', given: ['Leslie'] }],
  ...more,
});

export const goal = (reference, text = 'A door that locks') => ({
  resourceType: 'Goal',
  lifecycleStatus: 'active',
  description: { text },
  subject: { reference },
});

// A client and a goal about the client, which name each other inside the Bundle only.
export const transaction = (number) => {
  const name = `urn:uuid:${randomUUID()}`;
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      { resource: goal(name), request: { method: 'POST', url: 'Goal' } },
      { fullUrl: name, resource: patient(number), request: { method: 'POST', url: 'Patient' } },
    ],
  };
};
