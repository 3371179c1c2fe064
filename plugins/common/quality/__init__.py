"""Image quality metrics beside PSNR and SSIM; none of them needs trained weights."""
