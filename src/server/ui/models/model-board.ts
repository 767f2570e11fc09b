// The page's state of models and trainings: both lists, what the epochs came to, and how the server's messages change them.
import type { ActivationImpact, ModelInfo } from "../../models/model-schemas.ts";
import type { TrainingEvent } from "../../protocol.ts";
import type { TrainingDetail, TrainingInfo, TrainingRequest } from "../../trainings/training-schemas.ts";
import { ApiError } from "../api.ts";
import { isOver, Overheard, withWork } from "../background.ts";
import { Store } from "../store.ts";
import type { ModelsApi } from "./models-api.ts";

export type Epochs = TrainingDetail["history"];

export interface ModelBoardState {
  /** Undefined before the first list, as are the others. */
  readonly models: readonly ModelInfo[] | undefined;
  /** Newest first. */
  readonly trainings: readonly TrainingInfo[] | undefined;
  /** Of captures. */
  readonly counts: { readonly accepted: number; readonly fresh: number } | undefined;
  /** Of trainings, by their ids. */
  readonly epochs: ReadonlyMap<string, Epochs>;
  /** A sentence about the last thing that went wrong; empty while all is well. */
  readonly problem: string;
}

export class ModelBoard {
  readonly state = new Store<ModelBoardState>({
    models: undefined,
    trainings: undefined,
    counts: undefined,
    epochs: new Map(),
    problem: "",
  });
  readonly #api: ModelsApi;
  readonly #overheard = new Overheard<TrainingEvent>();
  /** Up to which moment of each training epochs were asked for. */
  readonly #asked = new Map<string, string>();

  constructor(api: ModelsApi) {
    this.#api = api;
  }

  /** Asks for everything, after the page has begun to hear of changes, so that none falls between. */
  async load(): Promise<void> {
    this.state.patch({ problem: "" });
    await this.#try(() => this.#loadModels());
    await this.#try(async () => {
      const [accepted, fresh] = await Promise.all([this.#api.captures("accepted"), this.#api.captures("new")]);
      this.state.patch({ counts: { accepted, fresh } });
    });
    await this.#try(async () => {
      const { answer: trainings, heard } = await this.#overheard.during(() => this.#api.trainings());
      this.state.patch({ trainings });
      this.#asked.clear();
      for (const training of trainings) if (!isOver(training)) this.#askEpochs(training);
      for (const event of heard) this.onEvent(event);
    });
  }

  onEvent(event: TrainingEvent): void {
    this.#overheard.note(event);
    const { id, training } = event;
    const { trainings } = this.state.value;
    if (!trainings) return;
    if (!training) return this.state.patch({ trainings: trainings.filter((one) => one.id !== id) });
    this.state.patch({ trainings: withWork(trainings, training, ({ state }) => state === "failed") });
    this.#askEpochs(training);
    if (training.version !== undefined) void this.#try(() => this.#loadModels());
  }

  showEpochs(id: string): void {
    void this.#try(async () => {
      const { history } = await this.#api.training(id);
      this.state.patch({ epochs: new Map(this.state.value.epochs).set(id, history) });
    });
  }

  /** Fails with an ApiError; so do those that follow. */
  async start(body: TrainingRequest): Promise<void> {
    const training = await this.#api.start(body);
    // Messages of it may have come before the answer, and are newer.
    const isKnown = this.state.value.trainings?.some(({ id }) => id === training.id) ?? false;
    if (!isKnown) this.#put(training);
  }

  async cancel(id: string): Promise<void> {
    this.#put(await this.#api.cancel(id));
  }

  /** That it goes on is told by messages. */
  async resume(id: string): Promise<void> {
    await this.#api.resume(id);
  }

  async removeTraining(id: string): Promise<void> {
    await this.#api.removeTraining(id);
    this.onEvent({ type: "training", id });
  }

  /** What activating a version would change. */
  impact(name: string, version: number): Promise<ActivationImpact> {
    return this.#api.impact(name, version);
  }

  async activate(name: string, version: number, force: boolean): Promise<void> {
    await this.#api.activate(name, version, force);
    await this.#loadModels();
  }

  async rollback(name: string): Promise<void> {
    await this.#api.rollback(name);
    await this.#loadModels();
  }

  async removeVersion(name: string, version: number): Promise<void> {
    await this.#api.removeVersion(name, version);
    await this.#loadModels();
  }

  reportUrl(name: string, version: number): Promise<string> {
    return this.#api.reportUrl(name, version);
  }

  #put(training: TrainingInfo): void {
    this.onEvent({ type: "training", id: training.id, training });
  }

  /** Once for each epoch that has ended, and at the end: messages tell the last step and the best epoch. */
  #askEpochs(training: TrainingInfo): void {
    const { id, progress, bestEpoch, metrics } = training;
    if (metrics === undefined) return;
    const moment = isOver(training) ? "over" : `${bestEpoch ?? 0} ${progress?.epoch ?? 0}`;
    if (this.#asked.get(id) === moment) return;
    this.#asked.set(id, moment);
    this.showEpochs(id);
  }

  async #loadModels(): Promise<void> {
    this.state.patch({ models: await this.#api.models() });
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // It was deleted meanwhile, which a message says.
      if (error.status === 404) return;
      this.state.patch({ problem: `${error.message} ${error.hint}`.trim() });
    }
  }
}
