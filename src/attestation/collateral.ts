/**
 * What a verifier needs besides the quote: revocation lists, and what the vendor says of platforms and quoting enclaves.
 * The shape is the one verifiers exchange (dcap-qvl's QuoteCollateralV3); the contents are Intel's PCS API 4.0,
 * "Get TDX TCB Info" and "Get TD Quoting Enclave Identity".
 */

export interface QuoteCollateral {
  /** PEM: issuer of the PCK certificate, root */
  readonly pck_crl_issuer_chain: string;
  /** DER in hexadecimal */
  readonly root_ca_crl: string;
  readonly pck_crl: string;
  /** PEM: signer of the statements, root */
  readonly tcb_info_issuer_chain: string;
  /** the JSON text that is signed */
  readonly tcb_info: string;
  /** r and s, hexadecimal */
  readonly tcb_info_signature: string;
  readonly qe_identity_issuer_chain: string;
  readonly qe_identity: string;
  readonly qe_identity_signature: string;
}

export const COLLATERAL_NAMES: readonly (keyof QuoteCollateral)[] = [
  'pck_crl_issuer_chain',
  'root_ca_crl',
  'pck_crl',
  'tcb_info_issuer_chain',
  'tcb_info',
  'tcb_info_signature',
  'qe_identity_issuer_chain',
  'qe_identity',
  'qe_identity_signature',
];

interface Statement {
  readonly id: string;
  readonly version: number;
  readonly issueDate: string;
  readonly nextUpdate: string;
  readonly tcbEvaluationDataNumber: number;
}

/** Best first. Others than these are not acceptable: Revoked, and what nobody has heard of. */
export const TCB_STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
] as const;
export type TcbStatus = (typeof TCB_STATUSES)[number] | 'Revoked';

interface TcbLevel<Tcb> {
  readonly tcb: Tcb;
  readonly tcbDate: string;
  readonly tcbStatus: TcbStatus;
}

interface Component {
  readonly svn: number;
}

export interface PlatformTcb {
  readonly sgxtcbcomponents: readonly Component[];
  readonly pcesvn: number;
  readonly tdxtcbcomponents: readonly Component[];
}

export interface TdxModuleIdentity {
  /** "TDX_01": major version of the module */
  readonly id: string;
  readonly mrsigner: string;
  readonly attributes: string;
  readonly attributesMask: string;
  readonly tcbLevels: readonly TcbLevel<{ readonly isvsvn: number }>[];
}

export interface TcbInfo extends Statement {
  readonly fmspc: string;
  readonly pceId: string;
  readonly tcbType: number;
  readonly tdxModule: { readonly mrsigner: string; readonly attributes: string; readonly attributesMask: string };
  readonly tdxModuleIdentities: readonly TdxModuleIdentity[];
  readonly tcbLevels: readonly TcbLevel<PlatformTcb>[];
}

export interface QeIdentity extends Statement {
  readonly miscselect: string;
  readonly miscselectMask: string;
  readonly attributes: string;
  readonly attributesMask: string;
  readonly mrsigner: string;
  readonly isvprodid: number;
  readonly tcbLevels: readonly TcbLevel<{ readonly isvsvn: number }>[];
}
