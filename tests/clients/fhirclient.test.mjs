import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import smart from 'fhirclient';
import { base, goal, patient, token, transaction } from './casebridge.mjs';

let client;
before(async () => {
  const request = { headers: {}, url: '/', socket: {}, connection: {} };
  const storage = { get: async () => undefined, set: async (_, value) => value, unset: async () => true };
  client = smart(request, {}, storage).client({ serverUrl: base, tokenResponse: { access_token: await token() } });
});

test('creates, reads, updates with a version, patches, deletes', async () => {
  const made = await client.create(patient('smart-1'));
  assert.equal((await client.request(`Patient/${made.id}`)).id, made.id);
  const changed = { ...made, gender: 'female' };
  const match = { headers: { 'If-Match': 'W/"1"' } };
  assert.equal((await client.update(changed, match)).meta.versionId, '2');
  await assert.rejects(client.update({ ...changed, active: true }, match), (error) => error.statusCode === 412);
  const patched = await client.patch(`Patient/${made.id}`, [{ op: 'replace', path: '/gender', value: 'male' }]);
  assert.equal(patched.gender, 'male');
  const history = await client.request(`Patient/${made.id}/_history`);
  assert.deepEqual(history.entry.map((row) => row.resource.meta.versionId), ['3', '2', '1']);
  await client.delete(`Patient/${made.id}`);
  await assert.rejects(client.request(`Patient/${made.id}`), (error) => error.statusCode === 410);
});

test('sends a transaction, resolves references, pages to the end', async () => {
  const body = JSON.stringify(transaction('smart-2'));
  const headers = { 'Content-Type': 'application/fhir+json' };
  const answer = await client.request({ url: '', method: 'POST', body, headers });
  const who = answer.entry[1].resource;
  for (let n = 0; n < 6; n += 1) await client.create(goal(`Patient/${who.id}`, `goal ${n}`));
  const all = await client.request(`Goal?patient=Patient/${who.id}&_count=3`, { pageLimit: 0, flat: true });
  assert.equal(new Set(all.map((each) => each.id)).size, 7);
  const with_ = await client.request(`Goal?patient=Patient/${who.id}&_include=Goal:subject`, { resolveReferences: 'subject' });
  assert.ok(with_.entry.some((row) => row.resource.resourceType === 'Patient'));
});
