import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Client } from 'fhir-kit-client';
import { base, goal, patient, token, transaction } from './casebridge.mjs';

let client;
before(async () => {
  client = new Client({ baseUrl: base, bearerToken: await token() });
});

test('reads the capability statement', async () => {
  assert.equal((await client.capabilityStatement()).fhirVersion, '4.0.1');
});

test('creates, reads, updates, patches, deletes', async () => {
  const made = await client.create({ resourceType: 'Patient', body: patient('kit-1') });
  const { id } = made;
  assert.equal((await client.read({ resourceType: 'Patient', id })).name[0].family, 'Moreno');
  const match = (version) => ({ headers: { 'If-Match': `W/"${version}"` } });
  const body = { ...made, gender: 'female' };
  const changed = await client.update({ resourceType: 'Patient', id, body, options: match(1) });
  assert.equal(changed.meta.versionId, '2');
  await assert.rejects(
    client.update({ resourceType: 'Patient', id, body: { ...body, active: true }, options: match(1) }),
    (error) => error.response.status === 412 && error.response.data.resourceType === 'OperationOutcome',
  );
  const jsonPatch = [{ op: 'replace', path: '/gender', value: 'unknown' }];
  assert.equal((await client.patch({ resourceType: 'Patient', id, jsonPatch })).gender, 'unknown');
  assert.equal((await client.vread({ resourceType: 'Patient', id, version: '1' })).gender, undefined);
  assert.equal((await client.resourceHistory({ resourceType: 'Patient', id })).entry.length, 3);
  assert.ok((await client.typeHistory({ resourceType: 'Patient' })).entry.length >= 3);
  assert.ok((await client.systemHistory()).entry.length >= 3);
  await client.delete({ resourceType: 'Patient', id });
  await assert.rejects(client.read({ resourceType: 'Patient', id }), (error) => error.response.status === 410);
});

test('sends a transaction and a batch', async () => {
  const answer = await client.transaction({ body: transaction('kit-2') });
  assert.deepEqual(answer.entry.map((row) => row.response.status), ['201 Created', '201 Created']);
  const [kept, who] = answer.entry.map((row) => row.resource);
  assert.equal(kept.subject.reference, `Patient/${who.id}`);
  const batch = { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: `Goal/${kept.id}` } }] };
  assert.equal((await client.batch({ body: batch })).entry[0].resource.id, kept.id);
});

test('searches with what is referred to, and pages to the end', async () => {
  const who = await client.create({ resourceType: 'Patient', body: patient('kit-3') });
  const subject = `Patient/${who.id}`;
  for (let n = 0; n < 7; n += 1) await client.create({ resourceType: 'Goal', body: goal(subject, `goal ${n}`) });
  const searchParams = { patient: subject, _include: 'Goal:subject', _count: 3 };
  let bundle = await client.search({ resourceType: 'Goal', searchParams });
  const ids = [];
  let pages = 0;
  while (bundle) {
    pages += 1;
    ids.push(...bundle.entry.filter((row) => row.search.mode === 'match').map((row) => row.resource.id));
    assert.ok(bundle.entry.some((row) => row.resource.resourceType === 'Patient'));
    bundle = await client.nextPage({ bundle });
  }
  assert.deepEqual([pages, ids.length, new Set(ids).size], [3, 7, 7]);
  const searched = await client.resourceSearch({ resourceType: 'Goal', searchParams, options: { postSearch: true } });
  assert.equal(searched.type, 'searchset');
  const found = await client.compartmentSearch({ resourceType: 'Goal', compartment: { resourceType: 'Patient', id: who.id } });
  assert.equal(found.entry.length, 7);
});

test('calls operations', async () => {
  const who = await client.create({ resourceType: 'Patient', body: patient('kit-4') });
  const all = await client.operation({ name: 'everything', resourceType: 'Patient', id: who.id, method: 'GET' });
  assert.equal(all.entry[0].resource.id, who.id);
  const outcome = await client.operation({ name: 'validate', resourceType: 'Patient', input: patient('kit-5') });
  assert.equal(outcome.resourceType, 'OperationOutcome');
});
