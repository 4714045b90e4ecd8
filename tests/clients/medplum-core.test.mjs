import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { goal, patient, token, transaction, url } from './casebridge.mjs';

// Medplum expects a browser's WebSocket to exist, which Node 20 has not; nothing here uses it.
globalThis.WebSocket ??= class {};
const { MedplumClient, OperationOutcomeError } = await import('@medplum/core');

let medplum;
before(async () => {
  medplum = new MedplumClient({ baseUrl: `${url}/`, fhirUrlPath: 'fhir', fetch, cacheTime: 0 });
  medplum.setAccessToken(await token());
});

test('creates, reads, updates with a version, patches, deletes', async () => {
  const made = await medplum.createResource(patient('medplum-1'));
  assert.equal((await medplum.readResource('Patient', made.id)).id, made.id);
  const match = { headers: { 'If-Match': 'W/"1"' } };
  const changed = await medplum.updateResource({ ...made, gender: 'female' }, match);
  assert.equal(changed.meta.versionId, '2');
  await assert.rejects(medplum.updateResource({ ...made, gender: 'male' }, match), OperationOutcomeError);
  const patched = await medplum.patchResource('Patient', made.id, [{ op: 'add', path: '/active', value: true }]);
  assert.equal(patched.active, true);
  assert.equal((await medplum.readVersion('Patient', made.id, '1')).gender, undefined);
  assert.equal((await medplum.readHistory('Patient', made.id)).entry.length, 3);
  await medplum.deleteResource('Patient', made.id);
  await assert.rejects(medplum.readResource('Patient', made.id), OperationOutcomeError);
});

test('creates what does not exist yet, and upserts', async () => {
  const query = 'identifier=http://county.example/id|medplum-2';
  const first = await medplum.createResourceIfNoneExist(patient('medplum-2'), query);
  const again = await medplum.createResourceIfNoneExist(patient('medplum-2'), query);
  assert.equal(first.id, again.id);
  const upserted = await medplum.upsertResource(patient('medplum-2', { gender: 'female' }), query);
  assert.deepEqual([upserted.id, upserted.gender], [first.id, 'female']);
});

test('sends a transaction, searches with include, pages to the end', async () => {
  const answer = await medplum.executeBatch(transaction('medplum-3'));
  const who = answer.entry[1].resource;
  for (let n = 0; n < 6; n += 1) await medplum.createResource(goal(`Patient/${who.id}`, `goal ${n}`));
  const found = await medplum.search('Goal', `patient=Patient/${who.id}&_include=Goal:subject`);
  assert.ok(found.entry.some((row) => row.resource.resourceType === 'Patient'));
  const ids = [];
  for await (const page of medplum.searchResourcePages('Goal', `patient=Patient/${who.id}&_count=3`)) {
    ids.push(...page.map((each) => each.id));
  }
  assert.deepEqual([ids.length, new Set(ids).size], [7, 7]);
  const everything = await medplum.readPatientEverything(who.id);
  assert.equal(everything.entry.length, 8);
  const outcome = await medplum.validateResource(patient('medplum-4'));
  assert.equal(outcome.resourceType, 'OperationOutcome');
});

test('keeps bytes', async () => {
  const binary = await medplum.createBinary({ data: 'hello', filename: 'hello.txt', contentType: 'text/plain' });
  assert.equal(await (await medplum.download(`Binary/${binary.id}`)).text(), 'hello');
});
