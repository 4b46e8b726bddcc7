"""Trainings of several ranks with the callbacks of each framework; `ranked.Job` starts them. All wait in their first
step while the counters run, after the ranks have exchanged something."""

from __future__ import annotations

from ranked import HOLD

TORCH_DATA = """
import warnings
warnings.simplefilter("ignore")
import torch
data = torch.utils.data.TensorDataset(torch.randn(16, 4))
"""

LIGHTNING = f"""{HOLD}{TORCH_DATA}
from lightning import pytorch as lightning
class Model(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
    def training_step(self, batch, _):
        hold(str(self.global_rank))
        return self.layer(batch[0]).square().mean()
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.01)
callback = joulemark.LightningCallback(zone="CH", sensor="rapl", save=folder / "job.json")
trainer = lightning.Trainer(
    max_epochs=1, accelerator="cpu", devices=int(sys.argv[2]), strategy="ddp", callbacks=[callback], logger=False,
    enable_progress_bar=False, enable_checkpointing=False, enable_model_summary=False)
trainer.fit(Model(), torch.utils.data.DataLoader(data, batch_size=4))
rank = str(trainer.global_rank)
report(rank, callback.whole)
with joulemark.Meter(zone="CH", sensor="rapl") as after:
    pass
(folder / f"after-{{rank}}").write_text(str(after.energy.reason))
"""
"""By itself or under a launcher; its first argument is the number of ranks. A meter of its own follows the training."""

TRAINER = f"""{HOLD}{TORCH_DATA}
import transformers
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
    def forward(self, x):
        hold(os.environ["RANK"])
        return {{"loss": self.layer(x).square().mean()}}
callback = joulemark.TrainerCallback(zone="CH", sensor="rapl", save=folder / "job.json")
arguments = transformers.TrainingArguments(
    str(folder / "out"), num_train_epochs=1, per_device_train_batch_size=2, report_to=[], use_cpu=True,
    ddp_backend="gloo", disable_tqdm=True, save_strategy="no", logging_strategy="no")
rows = [{{"x": row}} for row, in data]
transformers.Trainer(Model(), arguments, train_dataset=rows, callbacks=[callback]).train()
report(os.environ["RANK"], callback.whole)
"""

ACCELERATE = f"""{HOLD}{TORCH_DATA}
from accelerate import Accelerator
accelerator = Accelerator(cpu=True)
rank, layer = str(accelerator.process_index), torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(layer.parameters(), 0.01)
layer, optimizer, batches = accelerator.prepare(layer, optimizer, torch.utils.data.DataLoader(data, batch_size=2))
meter = joulemark.Meter("job", zone="CH", sensor="rapl")
with meter:
    for batch, in batches:
        accelerator.backward(layer(batch).square().mean())
        hold(rank)
        optimizer.step()
report(rank, meter.last, meter.save(folder / "job.json"))
"""

KERAS = f"""{HOLD}
import keras, tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
rank = str(json.loads(os.environ["TF_CONFIG"])["task"]["index"])
with strategy.scope():
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
@tf.function
def step():
    def gradients_of_all():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(tf.ones((2, 4)))))
        gradients = tape.gradient(loss, model.trainable_variables)
        return tf.distribute.get_replica_context().all_reduce("SUM", gradients)
    return strategy.run(gradients_of_all)
callback = joulemark.KerasCallback(zone="CH", sensor="rapl", save=folder / "job.json")
callbacks = keras.callbacks.CallbackList([callback], model=model, steps=2, epochs=1)
callbacks.on_train_begin()
callbacks.on_epoch_begin(0)
for batch in range(2):
    callbacks.on_train_batch_begin(batch)
    step()
    hold(rank)
    callbacks.on_train_batch_end(batch)
callbacks.on_epoch_end(0)
callbacks.on_train_end()
report(rank, callback.whole)
"""
"""A loop of its own, as Keras documents it for `tf.distribute`: `fit` of Keras 3 fails with this strategy
(keras-team/keras#20585)."""
