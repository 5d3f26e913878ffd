/** Quotes: their bytes, the certificates and statements around them, and whether to believe them. */
export { CertificateError, pemOf, type ReadCertificate, readCertificate, readPemChain } from './certificates.ts';
export { COLLATERAL_NAMES, type QeIdentity, type QuoteCollateral, type TcbInfo, type TcbStatus } from './collateral.ts';
export {
  encodeQuote,
  parseQuote,
  type Quote,
  type QuoteEvidence,
  QuoteFormatError,
  qeReportDataHash,
  quoteField,
  quoteSignedBytes,
} from './quote.ts';
export { ENCLAVE_REPORT_BYTES, EnclaveReport, QUOTE_BODY_FIELDS, QuoteVersion } from './quote-layout.ts';
export { encodeSgxExtension, SGX_EXTENSION_OID, type SgxExtension } from './sgx-extension.ts';
export { type Verdict, type VerifyOptions, type VerifyStep, verifyQuote } from './verify-quote.ts';
