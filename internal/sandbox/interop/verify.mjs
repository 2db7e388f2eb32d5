// Verifies one bundle with @sigstore/verify, with cosign's names for the flags:
//
//	node verify.mjs --bundle FILE --trusted-root FILE [--type URI] [--insecure-ignore-tlog]
//		(--certificate-identity SAN --certificate-oidc-issuer URL | --key FILE) FILE|ALGORITHM:HEX
//
// The library judges the signature, the certificate, the log entry and the
// times. What a statement is about it leaves to its callers, so that this
// program compares the subjects and the predicate's type, as npm does.
//
// Exit codes: 0 verified, 1 refused, 2 anything else, so that a mistake of this
// program is not taken for a refusal.
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { PolicyError, toSignedEntity, toTrustMaterial, VerificationError, Verifier } from '@sigstore/verify';
import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

class Refusal extends Error {}

function main() {
  const { values: flags, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      bundle: { type: 'string' },
      'trusted-root': { type: 'string' },
      'certificate-identity': { type: 'string' },
      'certificate-oidc-issuer': { type: 'string' },
      key: { type: 'string' },
      type: { type: 'string' },
      'insecure-ignore-tlog': { type: 'boolean', default: false },
    },
  });
  if (positionals.length !== 1) throw new Error('expected one FILE or ALGORITHM:HEX');
  const target = readTarget(positionals[0]);
  const bundle = bundleFromJSON(JSON.parse(readFileSync(flags.bundle, 'utf8')));
  // Only a key, which is trusted by itself, can do without a log and a time.
  if (flags['insecure-ignore-tlog'] && !flags.key) throw new Error('--insecure-ignore-tlog goes with --key');
  const least = flags['insecure-ignore-tlog'] ? 0 : 1;
  const verifier = new Verifier(trusted(flags), { tlogThreshold: least, timestampThreshold: least, ctlogThreshold: 1 });
  verifier.verify(toSignedEntity(bundle, target.content), policy(flags));
  if (bundle.content.$case === 'dsseEnvelope') checkStatement(bundle.content.dsseEnvelope, target, flags.type);
}

// readTarget reads a file, or a digest that no file has the name of.
function readTarget(given) {
  const digest = /^(sha256|sha512|gitCommit):([0-9a-f]+)$/.exec(given);
  if (digest) return { algorithm: digest[1], hex: digest[2] };
  const content = readFileSync(given);
  return { content, algorithm: 'sha256', hex: createHash('sha256').update(content).digest('hex') };
}

function trusted(flags) {
  const root = flags['trusted-root'] ? JSON.parse(readFileSync(flags['trusted-root'], 'utf8')) : {};
  const key = flags.key && createPublicKey(readFileSync(flags.key));
  return toTrustMaterial(TrustedRoot.fromJSON(root), () => {
    if (!key) throw new Refusal('signed with a key, and no --key is given');
    return { publicKey: key, validFor: () => true };
  });
}

// policy names the signer. The library takes a string for a regular expression.
function policy(flags) {
  if (flags.key) return undefined;
  const [san, issuer] = [flags['certificate-identity'], flags['certificate-oidc-issuer']];
  if (!san || !issuer) throw new Error('expected --certificate-identity and --certificate-oidc-issuer, or --key');
  return { subjectAlternativeName: `^${san.replace(/[^\w@/:]/g, '\\$&')}$`, extensions: { issuer } };
}

function checkStatement(envelope, target, type) {
  if (envelope.payloadType !== 'application/vnd.in-toto+json') throw new Refusal(`the payload is ${envelope.payloadType}`);
  const statement = JSON.parse(envelope.payload.toString('utf8'));
  if (type && statement.predicateType !== type) throw new Refusal(`the predicate is ${statement.predicateType}, expected ${type}`);
  if (!statement.subject.some((s) => s.digest[target.algorithm] === target.hex)) {
    throw new Refusal(`no subject has the digest ${target.algorithm}:${target.hex}`);
  }
}

try {
  main();
} catch (error) {
  const refused = [Refusal, PolicyError, VerificationError].some((kind) => error instanceof kind);
  console.error(refused ? `refused: ${error.code ?? 'STATEMENT'}: ${error.message}` : error);
  process.exitCode = refused ? 1 : 2;
}
