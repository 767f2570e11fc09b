// The view Models: the versions that there are, which is in use, and trainings that make new ones.
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { Confirm } from "../confirm.tsx";
import type { LiveState } from "../live.ts";
import type { PageLive } from "../page-live.ts";
import { useStore } from "../store.ts";
import { askedBy, type Question } from "./confirm-words.ts";
import type { ModelBoard } from "./model-board.ts";
import { ModelCard } from "./model-card.tsx";
import { ImpactList, useImpact } from "./impact.tsx";
import { NewTraining } from "./new-training.tsx";
import { TrainingCard } from "./training-card.tsx";

interface ModelsViewProps {
  readonly board: ModelBoard;
  readonly live: PageLive;
  readonly state: Pick<LiveState, "phase" | "hello">;
}

export function ModelsView({ board, live, state }: ModelsViewProps): JSX.Element {
  const { models, trainings, counts, epochs, problem } = useStore(board.state);
  const [asked, setAsked] = useState<Question | undefined>();
  const isOpen = state.phase.name === "open";
  useEffect(() => {
    if (!isOpen) return undefined;
    const end = live.watch("trainings", (event) => board.onEvent(event));
    void board.load();
    return end;
  }, [board, live, isOpen]);
  const mayChange = state.hello?.scope === "admin";
  const ask = mayChange ? setAsked : undefined;
  return (
    <section class="models">
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <section aria-labelledby="models-title">
        <h2 id="models-title">Models</h2>
        <ul class="model-list">
          {models?.map((model) => (
            <ModelCard
              key={model.name}
              model={model}
              onAsk={ask}
              onReport={(version) => openReport(board, model.name, version)}
            />
          ))}
        </ul>
      </section>
      <section aria-labelledby="trainings-title">
        <h2 id="trainings-title">Trainings</h2>
        {mayChange && models && (
          <NewTraining
            models={models}
            counts={counts}
            own={state.hello?.model.name}
            onStart={(body) => board.start(body)}
          />
        )}
        {trainings?.length === 0 && (
          <div class="empty">
            <h3>No trainings yet</h3>
            <p class="help">
              {mayChange
                ? "Accept captures in the view Captures, then start one above. What it makes becomes a version of the model, and is not used before you activate it."
                : "This page's token allows to look only; trainings are started with one of the scope admin."}
            </p>
          </div>
        )}
        <ul class="training-list">
          {trainings?.map((training) => (
            <TrainingCard
              key={training.id}
              training={training}
              epochs={epochs.get(training.id)}
              onEpochs={() => board.showEpochs(training.id)}
              onAsk={ask}
              onResume={mayChange ? () => board.resume(training.id) : undefined}
              onReport={(version) => openReport(board, training.name, version)}
            />
          ))}
        </ul>
      </section>
      {asked && <Answer board={board} question={asked} onClose={() => setAsked(undefined)} />}
    </section>
  );
}

function Answer({
  board,
  question,
  onClose,
}: {
  board: ModelBoard;
  question: Question;
  onClose: () => void;
}): JSX.Element {
  const target = targetOf(question);
  const impact = useImpact(target && (() => board.impact(target.name, target.version)));
  const isLoss = impact !== undefined && "lost" in impact && impact.lost.length + impact.streams.length > 0;
  const { sentences, ...words } = askedBy(question, isLoss);
  return (
    <Confirm {...words} ready={!target || impact !== undefined} run={() => answer(board, question)} onClose={onClose}>
      {target && <ImpactList impact={impact} />}
      {sentences.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
    </Confirm>
  );
}

/** The version that a question would bring into use. */
function targetOf(question: Question): { readonly name: string; readonly version: number } | undefined {
  if (question.what === "activate") return question;
  if (question.what !== "rollback") return undefined;
  const { name, inUse } = question.model;
  return { name, version: inUse.previous ?? 0 };
}

function answer(board: ModelBoard, question: Question): Promise<void> {
  switch (question.what) {
    case "activate":
      return board.activate(question.name, question.version, question.facts?.offered === false);
    case "rollback":
      return board.rollback(question.model.name);
    case "remove":
      return board.removeVersion(question.facts.name, question.facts.version);
    case "cancel":
      return board.cancel(question.training.id);
    case "discard":
    case "forget":
      return board.removeTraining(question.training.id);
  }
}

/** The tab is opened by the click itself: later the browser would take it for an advertisement. Fails with an ApiError. */
async function openReport(board: ModelBoard, name: string, version: number): Promise<void> {
  const tab = window.open("", "_blank");
  try {
    const url = await board.reportUrl(name, version);
    if (!tab) location.assign(url);
    else {
      tab.opener = null;
      tab.location.replace(url);
    }
  } catch (error) {
    tab?.close();
    throw error;
  }
}
