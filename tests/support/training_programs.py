"""Trainings as a user writes them, one a framework, each with joulemark's callback or meter. They print their results.

Each is run with `SENSOR` set, the name of a simulated sensor.
"""

PRINT_RESULTS = """
def print_results(callback, **more):
    import json
    epochs = [[e.whole.energy.value, e.steps, e.step_s, e.step_energy_j, e.rest_j, e.whole.begin_s, e.whole.end_s]
              for e in callback.epochs]
    whole = callback.whole
    print("RESULT" + json.dumps({"whole": whole.energy.value, "grams": whole.emissions.value, "rest": callback.rest_j,
                                "span": [whole.begin_s, whole.end_s], "epochs": epochs, **more}))
"""

KERAS = """
import numpy as np, keras, joulemark
model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
model.compile("sgd", "mse")
x, y = np.random.rand(96, 4), np.random.rand(96, 1)
energy = joulemark.KerasCallback(zone="CH", sensor=SENSOR, save="fit.json", track="tensorboard:events")
history = model.fit(x, y, epochs=3, batch_size=16, validation_data=(x, y), verbose=0, callbacks=[energy])
grouped = joulemark.KerasCallback(steps=0, zone="CH", sensor=SENSOR)
model.fit(x, y, epochs=1, batch_size=16, verbose=0, callbacks=[grouped])
print_results(energy, history=history.history, grouped=[grouped.epochs[0].steps, grouped.epochs[0].step_energy_j])
"""

TORCH = """
import time, torch, joulemark
model = torch.nn.Linear(64, 1)
optimizer = torch.optim.SGD(model.parameters(), 0.01)
whole, step = (joulemark.Meter(name, zone="CH", sensor=SENSOR, sync=True) for name in ("whole", "step"))
step.prepare()
with whole:
    marks = [step.mark()]
    for _ in range(12):
        with step:
            x = torch.randn(256, 64)
            loss = model(x).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        marks.append(step.mark())
print("RESULT" + __import__("json").dumps([
    whole.energy.value, [each.energy.value for each in step.measurements],
    step.sums_j(list(zip(marks, marks[1:]))), whole.sums_j([(marks[0], marks[-1])])[0]]))
"""

HUGGINGFACE = """
import os, mlflow, torch, transformers, joulemark
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
    def forward(self, x, labels):
        return {"loss": (self.layer(x).squeeze(-1) - labels).square().mean()}
data = [{"x": torch.randn(4), "labels": torch.tensor(1.0)} for _ in range(48)]
mlflow.set_tracking_uri("file:" + os.path.abspath("mlruns"))
energy = joulemark.TrainerCallback(zone="CH", sensor=SENSOR, save="fit.json", track="active")
arguments = transformers.TrainingArguments(
    "out", num_train_epochs=3, per_device_train_batch_size=8, report_to=["mlflow"], use_cpu=True, disable_tqdm=True,
    save_strategy="no", eval_strategy="steps", eval_steps=4, logging_strategy="no")
trainer = transformers.Trainer(Model(), arguments, train_dataset=data, eval_dataset=data, callbacks=[energy])
trainer.train()
print_results(energy, log=[entry for entry in trainer.state.log_history if "energy_j" in entry])
"""

LIGHTNING = """
import warnings
warnings.simplefilter("ignore")
import os, torch, joulemark
from lightning import pytorch as lightning
from lightning.pytorch.loggers import CSVLogger, MLFlowLogger
class Model(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
    def training_step(self, batch, _):
        return self.layer(batch[0]).square().mean()
    validation_step = training_step
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.01)
def loader():
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(48, 4)), batch_size=8)
energy = joulemark.LightningCallback(zone="CH", sensor=SENSOR, save="fit.json", track="active")
logger = CSVLogger("logs")
active = MLFlowLogger(tracking_uri="file:" + os.path.abspath("mlruns"))
trainer = lightning.Trainer(max_epochs=3, accelerator="cpu", logger=[logger, active], enable_progress_bar=False,
                            enable_checkpointing=False, enable_model_summary=False, val_check_interval=3,
                            callbacks=[energy])
trainer.fit(Model(), loader(), loader())
logger.save()
print_results(energy, log=open(logger.experiment.metrics_file_path).read())
"""
