"""The studies' claims, three of our own, and the rules by which our figures judge them.

The rules of the studies' claims were committed before the models they judge were trained. cgan-mlp, vae-cnn and
gmm-10 are the exception: they were trained before, but of their figures only the Frechet distance had been looked at.
What several trainings of a model mean for a rule was committed before any of the further ones was measured on the test
split; their distances from the training split had been seen. Claims 4 and 5 are about fits that can stop short of their
optimum: their rules were written anew before the mixtures were fitted again from several starts. Claims 17 to 19 are
about models of this project, and their rules were committed after these were trained: the figures of 17 and of the
first part of 18 were known, those of other steps and other guidance were not.
"""

from __future__ import annotations

from dataclasses import dataclass

BETTER = (
    "One Frechet distance is better than another where it is at least 10 % lower and the gap is more than twice the "
    "two spreads added, for both feature extractors: figures are given for the first and the second. Of a model that "
    "was trained with several seeds the distance is the mean over its trainings, and the spread is that between them "
    "or that over sample seeds, whichever is larger. Every other model is a single training run."
)


@dataclass(frozen=True)
class Claim:
    """What a study says, and the parts of it that are tested, each with its figure and threshold."""

    number: int
    title: str
    models: tuple[str, ...]
    rule: tuple[str, ...]


CLAIMS = (
    Claim(
        1,
        "Convolutional VAEs beat dense ones",
        ("vae-cnn", "vae-dense-8"),
        (
            "vae-cnn's training loss in the first epoch is below vae-dense-8's (same objective, same 8 latents)",
            "its loss after 15 epochs is below vae-dense-8's after 15 epochs",
            "its Frechet distance is better than vae-dense-8's",
            "it has fewer parameters",
        ),
    ),
    Claim(
        2,
        "A latent of 64 beats 8 for dense VAEs",
        ("vae-dense-64", "vae-dense-8"),
        (
            "vae-dense-64's mean squared error on the test split, mean over its trainings, is at least 10 % below "
            "vae-dense-8's",
            "its Frechet distance is better",
        ),
    ),
    Claim(
        3,
        "A 10-component pixel mixture does not give one component per class",
        ("gmm-10",),
        (
            "some class has the most test images in two or more components",
            "some class has the most test images in no component",
            "T-shirt/top is among the classes with two or more components",
        ),
    ),
    Claim(
        4,
        "BIC picks about 18 components for autoencoder latents",
        ("ae-gmm-best",),
        (
            "the minimum of BIC over 1 to 20 lies in 16 to 20 with the preset's regularisation (asked of a curve whose "
            "likelihood rises with every component: otherwise some fit stopped short, and nothing is judged)",
            "and also with ten times that regularisation",
            "the minimum is not at the edge, 20",
        ),
    ),
    Claim(
        5,
        "VAE latents give a mixture better and more varied samples than autoencoder latents",
        ("vae-gmm-2", "ae-gmm-2", "vae-gmm-11", "ae-gmm-11", "vae-gmm-18", "ae-gmm-18"),
        (
            "at 2 components the VAE's Frechet distance is better",
            "at 11 components the VAE's Frechet distance is better",
            "at 18 components the VAE's Frechet distance is better",
            "the VAE's coverage is higher at 2, 11 and 18 components, by more than twice the two spreads over sample "
            "seeds added",
        ),
    ),
    Claim(
        6,
        "The larger dense GAN is better; the smaller one's dropout reduces overfitting",
        ("gan-dense-1", "gan-dense-2"),
        (
            "gan-dense-1's Frechet distance is better than gan-dense-2's",
            "the discriminator's accuracy on training images minus that on test images, mean of the last fifth of the "
            "epochs, is at least 2 points lower for gan-dense-2",
        ),
    ),
    Claim(
        7,
        "Against a convolutional discriminator a dense generator collapses to noise and a convolutional one does not",
        ("gan-cnn", "gan-dense-cnn"),
        (
            "gan-cnn's Frechet distance is better than gan-dense-cnn's",
            "gan-dense-cnn collapses: its recall is below 0.05 or its Frechet distance above 28.3, the features' total "
            "variance",
        ),
    ),
    Claim(
        8,
        "64 feature maps give more detail than 32, train slower and take more memory",
        ("dcgan-64", "dcgan-32"),
        (
            "dcgan-64's Frechet distance is better than dcgan-32's",
            "the mean absolute Laplacian of its samples is nearer to the test images'",
            "its epochs take at least 1.2 times as long (median)",
            "its peak memory in training is at least 5 % higher",
        ),
    ),
    Claim(
        9,
        "A DCGAN's generator loss rises at first and its discriminator loss falls, then both settle; walks are smooth",
        ("dcgan-64",),
        (
            "the generator's loss is at some epoch of the first quarter at least 5 % above the first epoch's",
            "the discriminator's mean loss over the last quarter is below the first epoch's",
            "both losses' means over the last two fifths of the epochs differ by less than 10 %",
            "over 20 spherical walks of 64 steps the longest step in feature space is less than 4 times its walk's "
            "mean step in at least 18",
        ),
    ),
    Claim(
        10,
        "A GAN's distance falls fast, then is flat; D loss constant, G loss falls; no collapse, no overfitting",
        ("gan-fid",),
        (
            "the raw generator's distance at epoch 20 is below half of that at epoch 1",
            "its medians over epochs 101-300 and 301-500 differ by less than 20 %",
            "after epoch 50 the discriminator's loss has a standard deviation below 10 % of its mean",
            "the generator's loss is at some epoch of 2-50 at least 10 % below the first epoch's",
            "no mode collapse: recall is at least 0.1 and the balance divergence below 0.3 nats",
            "no overfitting: the median distance to the nearest training image is at least 0.9 times the test images'",
        ),
    ),
    Claim(
        11,
        "The conditional GAN's discriminator errs more on real images than on fakes",
        ("cgan-mlp",),
        ("its accuracy on test images is at least 2 points below that on fakes of the raw generator, last epoch",),
    ),
    Claim(
        12,
        "Between T-shirt and Dress the picture passes a coat, between Shirt and Coat sometimes a sneaker",
        ("cgan-mlp",),
        (
            "of 500 walks from T-shirt/top to Dress through the class embedding, in 21 frames, the classifier sees a "
            "Coat in some frame of at least half",
            "of 500 walks from Shirt to Coat it sees a Sneaker in some frame of at least 5 %",
        ),
    ),
    Claim(
        13,
        "Classes form distinct clusters in the first hidden layer after its non-linearity",
        ("cgan-mlp",),
        (
            "a linear classifier (half of 4,000 samples for its fit) tells the classes from the activations after the "
            "non-linearity with at least 90 % accuracy, and at least 5 points more often than before any training: the "
            "class is an input of that layer",
            "the nearest class mean in the first two principal components is right for at least 50 %, and at least 5 "
            "points more often than before any training",
            "that share is higher after the non-linearity than before",
        ),
    ),
    Claim(
        14,
        "A GAN reconstructs test images",
        ("cgan-mlp",),
        (
            "the median squared error of an inverted test image is at most half that of a fresh sample of its class "
            "(the study drew the fresh sample)",
        ),
    ),
    Claim(
        15,
        "Some classes are less diverse than others; samples are new, not copies",
        ("cgan-mlp",),
        (
            "the mean pairwise distance of a class's samples in feature space is at least 1.2 times as large for the "
            "most diverse class as for the least",
            "fewer than 5 % of the fakes are nearer to a training image than 99 % of the test images are",
        ),
    ),
    Claim(
        16,
        "A VAE's quality grows with epochs and latent size; a convolutional one needs fewer of both",
        ("vae-dense-8", "vae-dense-64", "vae-cnn", "vae-cnn-50"),
        (
            "each VAE's distance in training falls: the last epoch's is at least 10 % below the first's",
            "vae-dense-64 has a better Frechet distance than vae-dense-8",
            "vae-cnn, with 8 latents and 15 epochs, has a better Frechet distance than vae-dense-64 with 64 and 30",
        ),
    ),
    Claim(
        17,
        "At equal size, generators of today draw much closer to photographs",
        ("cgan-conv", "flow-one-step", "flow-unet", "gan-cnn", "dcgan-dense-stem"),
        (
            "cgan-conv, flow-one-step and flow-unet have at most 10 % more weights than gan-cnn",
            "the Frechet distance of each is better than gan-cnn's",
            "and better than that of dcgan-dense-stem, the best of the studies' models",
        ),
    ),
    Claim(
        18,
        "Many steps draw better than one; one that was learned draws better than one that was not",
        ("flow-unet", "flow-one-step"),
        (
            "flow-unet, in its own steps, has a better Frechet distance than flow-one-step",
            "flow-one-step has a better one than flow-unet in a single step",
            "flow-one-step draws 64 pictures at least ten times as fast",
        ),
    ),
    Claim(
        19,
        "Guidance buys precision with recall",
        ("flow-unet",),
        (
            "precision at guidance 3 is above that at 1, by more than twice the two spreads over sample seeds added",
            "recall at guidance 3 is below that at 1, by as much",
            "at guidance 3 the class seen is the one asked for more often than at 1, by as much",
        ),
    ),
)

# What the pictures and the figures say where they contradict a study, by claim.
WHY: dict[int, str] = {
    1: "Losses and size are as claimed. The distance is 4 % lower over three trainings of each, short of the 10 % the "
    "rule asks for, and the second opinion prefers the dense one by a hair.",
    2: "With beta 3 the latents that do not pay for themselves are switched off: on test images exactly 8 of the 64 "
    "carry more than 0.1 nats (posterior collapse), so both models use the same number. A smaller beta would give the "
    "claim a chance.",
    3: "Bags and ankle boots have two components each, T-shirts one. Dresses lie with Trousers, Shirts with Coats and "
    "Pullovers: components follow outlines, and labels cut across them.",
    4: "A mixture has many optima, and a fit that stops in a poor one makes its size look bad. Three searches, each "
    "more thorough, ended with 14, 13 and 11 components: their curves are flat from 11 to 14. None comes near 18, "
    "where each component costs 7 nats an image and gains 5.",
    5: "By eye the claim has a point: VAE samples are clean and soft, autoencoder samples detailed but streaked. The "
    "distance sees the missing detail more. Eight numbers do not carry it (the VAE's own samples score 7.7); 392 do, "
    "once enough Gaussians say how they hang together.",
    7: "gan-dense-cnn collapses, but not to noise: the noisy blob that it draws for every latent is gone by epoch 10, "
    "and clean garments of one cut each stay. The distance, 4.3 against 2.7, makes little of that; recall, 0.003 "
    "against 0.58, sees it.",
    8: "By eye both are equally sharp, and nearly as sharp as the photographs. What more feature maps buy is variety: "
    "recall 0.59 against 0.52.",
    9: "By the end of the first epoch the discriminator is far ahead; from then on the generator catches up, so by "
    "epoch the curves run the other way: the opening that the study saw is over within our first one. By eye the four "
    "roughest walks do not jump either: over ten frames a boot turns into a bag, a bag into a sandal, and the features "
    "change fastest midway.",
    10: "The distance never lies flat: it falls ever more slowly, the averaged generator's from 4.4 at epoch 50 to 2.6 "
    "at 500, which looks flat on an axis that begins at 40. The generator's loss falls, where claim 9's should rise, "
    "because this discriminator is far ahead after three epochs and caught up with by epoch 50; from then on its loss "
    "stays just below log 2 = 0.69, that of one who cannot tell.",
    12: "Mixed in the embedding, T-shirts pass Shirts on their way to Dresses (68 % of 200 walks), and "
    "Shirts go to Coats directly. The study averaged label numbers, which are names: Shirt 6 and Coat 4 make Sandal 5, "
    "T-shirt 0 and Dress 3 make Pullover 2. Interpolate shows both.",
    13: "The class is an input of this layer, so its numbers hold the class before any training. The clusters show "
    "what the layer is told, not what it has learned.",
    16: "Every VAE improves with its epochs; but 64 latents collapse to 8 in use (claim 2), and the convolutional "
    "one's lead is within the spread between trainings.",
    18: "The first opinion puts the flow clearly ahead, the second by too little for the rule: a student that is "
    "taught long enough comes close to its teacher.",
    19: "Nearly all of the precision is gained by a guidance of 2; at 5 it falls again, and variety has fallen all the "
    "way. The distance, which asks for both, is least between 1 and 2.",
}
