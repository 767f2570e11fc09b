// Models and trainings over HTTP, as far as the page uses them.
import type { CaptureList } from "../../captures/capture-schemas.ts";
import type { ActivationImpact, ModelInfo } from "../../models/model-schemas.ts";
import type { TicketAnswer } from "../../protocol.ts";
import type { TrainingDetail, TrainingInfo, TrainingRequest } from "../../trainings/training-schemas.ts";
import type { Call } from "../api.ts";

export interface ModelsApi {
  models(): Promise<ModelInfo[]>;
  impact(name: string, version: number): Promise<ActivationImpact>;
  activate(name: string, version: number, force: boolean): Promise<void>;
  rollback(name: string): Promise<void>;
  removeVersion(name: string, version: number): Promise<void>;
  /** An address that is good for one look at a version's report, soon. */
  reportUrl(name: string, version: number): Promise<string>;
  trainings(): Promise<TrainingInfo[]>;
  /** With what each epoch came to. */
  training(id: string): Promise<TrainingDetail>;
  start(training: TrainingRequest): Promise<TrainingInfo>;
  cancel(id: string): Promise<TrainingInfo>;
  resume(id: string): Promise<TrainingInfo>;
  removeTraining(id: string): Promise<void>;
  /** How many captures there are. */
  captures(status: "new" | "accepted"): Promise<number>;
}

/** `base` is the page's address. */
export function createModelsApi(base: string, call: Call): ModelsApi {
  const get = async <T>(path: string): Promise<T> => (await (await call("GET", path)).json()) as T;
  const post = async <T>(path: string, body?: object): Promise<T> =>
    (await (await call("POST", path, body)).json()) as T;
  const model = (name: string): string => `v1/models/${encodeURIComponent(name)}`;
  const training = (id: string): string => `v1/trainings/${encodeURIComponent(id)}`;
  return {
    models: () => get("v1/models"),
    impact: (name, version) => get(`${model(name)}/versions/${version}/impact`),
    activate: async (name, version, force) =>
      void (await post(`${model(name)}/versions/${version}/activate`, { force })),
    rollback: async (name) => void (await post(`${model(name)}/rollback`)),
    removeVersion: async (name, version) => void (await call("DELETE", `${model(name)}/versions/${version}`)),
    reportUrl: async (name, version) => {
      const { ticket } = await post<TicketAnswer>("v1/tickets");
      return new URL(`${model(name)}/versions/${version}/report?ticket=${ticket}`, base).href;
    },
    trainings: () => get("v1/trainings"),
    training: (id) => get(training(id)),
    start: (body) => post("v1/trainings", body),
    cancel: (id) => post(`${training(id)}/cancel`),
    resume: (id) => post(`${training(id)}/resume`),
    removeTraining: async (id) => void (await call("DELETE", training(id))),
    captures: async (status) => (await get<CaptureList>(`v1/captures?status=${status}&limit=1`)).total,
  };
}
