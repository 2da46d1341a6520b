"""What the images add to the toolkits, where it is on no package index. Runs in a container alone.

Sources: aws/sagemaker-scikit-learn-container eae7b6b, `training.py` and `serving.py`;
aws/sagemaker-xgboost-container cb8df91, `training.py` and `serving.py` (with a user's module both
serve alike). The functions do what those do, call by call.
"""

import importlib

from sagemaker_containers.beta import framework
from sagemaker_containers.beta.framework import env, modules, transformer, worker

app = None


def train_xgboost():
    job = framework.training_env()
    modules.run_module(job.module_dir, job.to_cmd_args(), job.to_env_vars(), job.module_name)


def train_scikit_learn():
    from sagemaker_training import entry_point, environment, runner

    job = environment.Environment()
    entry_point.run(
        uri=job.module_dir,
        user_entry_point=job.user_entry_point,
        args=job.to_cmd_args(),
        env_vars=job.to_env_vars(),
        runner_type=runner.ProcessRunnerType,
    )


def serve(environ, start_response):
    global app
    if app is None:
        name = env.ServingEnv().module_name
        user = importlib.import_module(name)
        handlers = ("model_fn", "input_fn", "predict_fn", "output_fn")
        served = transformer.Transformer(**{each: getattr(user, each, None) for each in handlers})
        served.initialize()
        app = worker.Worker(transform_fn=served.transform, module_name=name)
    return app(environ, start_response)
