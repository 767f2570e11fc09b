// The page's state of proposals: the last run on the server, how far people follow proposals, and what a new run could use.
import type { ProposalsInfo, ProposalsRequest } from "../../captures/proposal-schemas.ts";
import type { ModelInfo } from "../../models/model-schemas.ts";
import type { Agreement } from "../../../training/agreement.ts";
import { ApiError } from "../api.ts";
import { Store } from "../store.ts";

export interface ProposalsState {
  /** Undefined before the first answer, as are the others. */
  readonly info: ProposalsInfo | undefined;
  readonly agreement: Agreement | undefined;
  readonly models: readonly ModelInfo[] | undefined;
  /** Captures that nobody has accepted or skipped. */
  readonly fresh: number | undefined;
  /** Why the last request failed; empty while all is well. */
  readonly problem: string;
}

export interface ProposalsApi {
  proposals(): Promise<ProposalsInfo>;
  propose(request: ProposalsRequest): Promise<ProposalsInfo>;
  cancelProposals(): Promise<ProposalsInfo>;
  agreement(): Promise<Agreement>;
  models(): Promise<ModelInfo[]>;
  fresh(): Promise<number>;
}

export class ProposalBoard {
  readonly state = new Store<ProposalsState>({
    info: undefined,
    agreement: undefined,
    models: undefined,
    fresh: undefined,
    problem: "",
  });
  readonly #api: ProposalsApi;

  constructor(api: ProposalsApi) {
    this.#api = api;
  }

  async load(): Promise<void> {
    await this.#try(async () => {
      const [info, agreement, models, fresh] = await Promise.all([
        this.#api.proposals(),
        this.#api.agreement(),
        this.#api.models(),
        this.#api.fresh(),
      ]);
      this.state.patch({ info, agreement, models, fresh });
    });
  }

  /** Asks how far the run is. */
  async refresh(): Promise<void> {
    await this.#try(async () => this.state.patch({ info: await this.#api.proposals() }));
  }

  /** Fails with an ApiError, as does `cancel`. */
  async start(request: ProposalsRequest): Promise<void> {
    this.state.patch({ info: await this.#api.propose(request), problem: "" });
  }

  async cancel(): Promise<void> {
    this.state.patch({ info: await this.#api.cancelProposals() });
  }

  async #try(ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
      this.state.patch({ problem: "" });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.state.patch({ problem: `${error.message} ${error.hint}`.trim() });
    }
  }
}
